with periods as (

    select * from {{ ref("int_reporting_period") }}
    where is_requested

),

releases as (

    select * from {{ ref("int_workbook_release") }}
    where outcome = 'accepted'

),

-- the reporting year up to the cut-off: of each as-of date the highest version
candidates as (

    select
        periods.period_id,
        periods.from_on,
        periods.cut_off_on,
        periods.year_from_on,
        periods.reporting_year,
        periods.as_of_at,
        releases.source,
        releases.dataset,
        releases.load_id,
        releases.file_name,
        releases.as_of_on,
        releases.rejected_row_count,
        releases.release_rank,
        row_number() over (
            partition by periods.period_id, releases.source, releases.dataset, releases.as_of_on
            order by releases.release_rank desc
        ) as version_preference,
        row_number() over (
            partition by periods.period_id, releases.source, releases.dataset
            order by releases.release_rank desc
        ) as period_preference
    from periods
    inner join releases on releases.as_of_on between periods.year_from_on and periods.cut_off_on

),

-- within the period the newest file replaces the earlier ones, for events too; what was sent for the year before the
-- period began is kept for the figures that run from the start of the year
chosen as (

    select
        period_id || ':' || source || ':' || dataset || ':' || as_of_on as workbook_load_id,
        period_id,
        source,
        dataset,
        load_id,
        file_name,
        as_of_on,
        as_of_on >= from_on as is_current,
        from_on,
        cut_off_on,
        year_from_on,
        reporting_year,
        as_of_at,
        rejected_row_count,
        release_rank
    from candidates
    where (as_of_on >= from_on and period_preference = 1) or (as_of_on < from_on and version_preference = 1)

)

select * from chosen
