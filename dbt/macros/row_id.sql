{#
    The key of a raw row. A load's id is a 62-bit hash of its bytes (see extract/ledger.py), so that loads lie far apart and
    the rows of one cannot run into those of another; the primary-key test of each staging model would find it.
#}
{% macro row_id() %}_load_id + _row{% endmacro %}
