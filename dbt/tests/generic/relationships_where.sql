{# Every value that is not null, in rows that satisfy from_condition, exists in the other model. #}
{% test relationships_where(model, column_name, to, field, from_condition="true") %}

select child.{{ column_name }}
from (
    select distinct {{ column_name }}
    from {{ model }}
    where {{ column_name }} is not null and {{ from_condition }}
) as child
left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
where parent.{{ field }} is null

{% endtest %}
