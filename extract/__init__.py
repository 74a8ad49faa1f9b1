"""From a source's bytes to checked, typed, pseudonymised rows in `raw`, with a ledger and a quarantine."""
