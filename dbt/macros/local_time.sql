{# A wall clock of the province as a moment; independent of the time zone of the session. #}
{% macro local_moment(wall_clock) -%}
    ({{ wall_clock }} at time zone 'Asia/Ho_Chi_Minh')
{%- endmacro %}


{# The day of the province on which a moment falls. #}
{% macro local_day(moment) -%}
    (({{ moment }} at time zone 'Asia/Ho_Chi_Minh')::date)
{%- endmacro %}
