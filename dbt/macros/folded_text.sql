{#
    Free text as a key: without marks, case and superfluous spaces, so that what people type differently stays one thing
    (Hoà, Hòa, HOÀ). Nothing of the server's locale is used: PostgreSQL lowers plain letters alone everywhere.
#}
{% macro folded_text(value) -%}
    btrim(
        regexp_replace(
            lower(translate(regexp_replace(normalize({{ value }}, nfd), '[\u0300-\u036f]', '', 'g'), 'đĐ', 'dd')),
            '[^a-z0-9]+', ' ', 'g'
        )
    )
{%- endmacro %}
