"""What everything stands on: settings, the database, jobs, logs, and the log of what people did."""
