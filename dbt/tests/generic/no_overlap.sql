{# Half-open validity intervals of one key never overlap. #}
{% test no_overlap(model, key, from_column, to_column) %}

select {{ key }}, {{ from_column }}
from (
    select
        {{ key }},
        {{ from_column }},
        lag({{ to_column }}) over (partition by {{ key }} order by {{ from_column }}) as previous_end
    from {{ model }}
) as timeline
where previous_end > {{ from_column }}

{% endtest %}
