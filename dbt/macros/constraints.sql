{#
    The constraints that the YAML declares, for models under contract, for intermediate models and for seeds alike. Run as
    a post-hook, in the table's own transaction: what breaks one fails the build. On the finished table an index is built
    in one go and all checks share one scan (756 000 dossier versions: 1.8 s, against 5.5 s row by row).
#}
{% macro add_constraints() -%}
    {%- set clauses = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- do clauses.append(constraint_clause(constraint, [column.name])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in model.get("constraints", []) -%}
        {%- do clauses.append(constraint_clause(constraint, constraint.columns)) -%}
    {%- endfor -%}
    {#- the key of a staging view is that of its raw table, see tests/raw_rows_are_told_apart.sql -#}
    {%- if clauses and model.config.materialized != "view" -%}
        alter table {{ this }} {{ clauses | join(", ") }}
    {%- endif -%}
{%- endmacro %}


{% macro constraint_clause(constraint, columns) -%}
    {%- set kind = constraint.type.value if constraint.type.value is defined else constraint.type -%}
    {%- if kind == "not_null" -%} alter column {{ columns[0] }} set not null
    {%- elif kind == "primary_key" -%} add primary key ({{ columns | join(", ") }})
    {%- elif kind == "unique" -%} add unique ({{ columns | join(", ") }})
    {%- elif kind == "check" -%} add {{ "constraint " ~ constraint.name if constraint.name }} check ({{ constraint.expression }})
    {%- else -%} {{ exceptions.raise_compiler_error("no such constraint: " ~ kind) }}
    {%- endif -%}
{%- endmacro %}


{# A contract's table is made with its columns and types alone; add_constraints() adds the rest. #}
{% macro postgres__get_table_columns_and_constraints() -%}
    (
        {% for column in model.columns.values() -%}
            {{ column.name }} {{ column.data_type }}{{ ", " if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
