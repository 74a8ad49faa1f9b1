{# A whole number typed as text: 11.300, 11 300 and 11300 are one; what is no whole number is null. #}
{% macro text_number(value) -%}
    case
        when btrim({{ value }}) ~ '^([0-9]+|[0-9]{1,3}([. ][0-9]{3})+)$'
            then translate({{ value }}, '. ', '')::numeric
    end
{%- endmacro %}
