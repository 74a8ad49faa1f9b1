{# Half up, away from zero: PostgreSQL rounds numeric this way, never double precision. #}
{% macro round_half_up(value, digits=0) -%}
    round(({{ value }})::numeric, {{ digits }})
{%- endmacro %}


{# 54148 is 54.148 and 99.6686 is 99,67: at most two decimals, no trailing zeros, whatever the locale of the server. #}
{% macro vietnamese_number(value) -%}
    translate(
        rtrim(to_char({{ round_half_up(value, 2) }}, 'FM999,999,999,999,999,999,990.99'), '.'),
        ',.',
        '.,'
    )
{%- endmacro %}
