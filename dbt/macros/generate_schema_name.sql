{#
    Readers see marts, reporting and reference. A build writes marts_build, reporting_build and reference_build; only a
    green build is renamed, a whole schema at a time. Staging and intermediate keep their names: staging holds views on
    raw (which is never renamed) and intermediate holds tables, so nothing there can point at a replaced table.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema_name = (custom_schema_name or target.schema) | trim -%}
    {%- if schema_name in ("marts", "reporting", "reference") -%}
        {{ schema_name }}{{ var("schema_suffix") }}
    {%- else -%}
        {{ schema_name }}
    {%- endif -%}
{%- endmacro %}
