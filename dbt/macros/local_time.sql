{# A wall clock of the province as a moment; independent of the time zone of the session. #}
{% macro local_moment(wall_clock) -%}
    ({{ wall_clock }} at time zone 'Asia/Ho_Chi_Minh')
{%- endmacro %}


{# The day of the province on which a moment falls. #}
{% macro local_day(moment) -%}
    (({{ moment }} at time zone 'Asia/Ho_Chi_Minh')::date)
{%- endmacro %}


{# yyyyMMdd as a day; the days of the month are added one by one, so that 20240231 in a file name cannot break the build. #}
{% macro day_of_digits(digits) -%}
    ((left({{ digits }}, 6) || '01')::date + (right({{ digits }}, 2)::integer - 1))
{%- endmacro %}
