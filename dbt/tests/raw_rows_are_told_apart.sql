{#
    The key of every staging model but those of the ledger, in one statement: row_id() is unique in each raw table.
    The tables come from the sources, so a new one is held to it without a word here. It is never null: neither of its
    columns can be (see extract/contract.py).
#}
{%- set tables = [] -%}
{%- if execute -%}
    {%- for source in graph.sources.values() if source.schema == "raw" -%}
        {%- do tables.append(source) -%}
    {%- endfor -%}
{%- endif %}

{% for table in tables %}
    select
        '{{ table.source_name }}.{{ table.name }}' as source_table,
        {{ row_id() }} as row_id,
        count(*) as row_count
    from {{ table.relation_name }}
    group by {{ row_id() }}
    having count(*) > 1
    {{ "union all" if not loop.last }}
{% else %}
    select 1 where false
{% endfor %}
