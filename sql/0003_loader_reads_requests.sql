-- The budget feed is asked for by year, and the loader asks for the years that reports are wanted for.
grant select on ops.report_request to loader;
