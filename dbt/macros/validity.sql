{# Stand-ins for "always" and "open ended": real days, because many clients cannot read infinity. #}
{% macro first_day() -%}
    date '0001-01-01'
{%- endmacro %}


{% macro last_day() -%}
    date '9999-12-31'
{%- endmacro %}


{# The end is the first day no longer in force. #}
{% macro holds_on(day, from_on, to_on) -%}
    ({{ from_on }} <= {{ day }} and {{ day }} < {{ to_on }})
{%- endmacro %}
