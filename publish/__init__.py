"""Everything a person receives: reads marts and reporting, computes no figure."""
