{# One version of a thing that says when it changed: its key and the moment, to the microsecond. #}
{% macro change_id(key, updated_at) -%}
    {{ key }} || '@' || to_char({{ updated_at }} at time zone 'UTC', 'YYYYMMDDHH24MISSUS')
{%- endmacro %}


{# The version that was the newest one known at a moment. #}
{% macro known_at(moment, versions) -%}
    (
        {{ versions }}.updated_at <= {{ moment }}
        and ({{ versions }}.superseded_at is null or {{ moment }} < {{ versions }}.superseded_at)
    )
{%- endmacro %}
