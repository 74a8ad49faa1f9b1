{# 1.004194.H31, 1.004194.000.00.00.H31 and 1.004194 are one procedure; what has no such core stays as sent. #}
{% macro procedure_code(code) -%}
    coalesce(substring({{ code }} from '^[0-9]+[.][0-9]{6}'), {{ code }})
{%- endmacro %}


{# One version of a thing with validity: its code and the day from which the version holds. #}
{% macro version_id(code, valid_from_on) -%}
    {{ code }} || '@' || coalesce(to_char({{ valid_from_on }}, 'YYYYMMDD'), '0')
{%- endmacro %}
