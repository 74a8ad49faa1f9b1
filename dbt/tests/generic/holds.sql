{# The expression is true in every row; a null is an offence too. #}
{% test holds(model, expression) %}

select *
from {{ model }}
where ({{ expression }}) is not true

{% endtest %}
