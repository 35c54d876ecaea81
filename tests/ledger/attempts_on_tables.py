"""Attempts on the tables themselves, by statements that no shop would run, each with the words that refuse it."""

from tests.ledger.attempts import AGREES, APPEND_ONLY, FITS, IMMUTABLE, ONE_ENTRY, STARTS_EMPTY, UNIQUE, sql

BY_HAND = [
    *sql(
        ONE_ENTRY,
        "UPDATE certificate SET balance_cents = 5000 WHERE id = <fresh>",
        "UPDATE certificate SET last_sequence = last_sequence + 2 WHERE id = <fresh>",
        "UPDATE certificate SET last_sequence = last_sequence - 1 WHERE id = <sold>",
        "UPDATE certificate SET last_sequence = 1, balance_cents = 12000 WHERE id = <sold>",
    ),
    *sql(
        AGREES,
        "UPDATE certificate SET last_sequence = last_sequence + 1 WHERE id = <fresh>",
        "UPDATE certificate SET last_sequence = last_sequence + 1, balance_cents = 0 WHERE id = <fresh>",
    ),
    *sql(
        IMMUTABLE,
        *(
            f"UPDATE certificate SET {column} = {value} WHERE id = <fresh>"
            for column, value in {
                "id": "4711",
                "public_id": "'ANOTHER'",
                "mode": "'live'",
                "currency": "'EUR'",
                "face_value_cents": "50000",
                "issued_at": "'2020-01-01T00:00:00+00:00'",
            }.items()
        ),
    ),
]  # fmt: skip

HISTORY = [
    *sql(
        APPEND_ONLY,
        "UPDATE ledger_entry SET amount_cents = 1",
        "UPDATE ledger_entry SET actor = actor",
        "UPDATE ledger_entry SET reason_code = 'other' WHERE id = <entry:redemption>",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_entry WHERE id = <entry:recovery>",
        "DELETE FROM certificate",
        "DELETE FROM certificate WHERE id = <fresh>",
        "UPDATE money_request SET answer = 'other'",
        "DELETE FROM money_request",
        "UPDATE ledger_seal SET entries = 2",
        "DELETE FROM ledger_seal",
    ),
    *sql(
        UNIQUE,
        "UPDATE certificate SET code_lookup ="
        " (SELECT code_lookup FROM certificate WHERE id = <sold>) WHERE id = <fresh>",
    ),
    *sql(
        f"{UNIQUE}|{FITS}|{STARTS_EMPTY}",
        *(
            f"INSERT {how} INTO {table} SELECT * FROM {table} WHERE true {then}"
            for table in ("ledger_entry", "certificate", "money_request", "ledger_seal")
            for how, then in (("OR REPLACE", ""), ("OR IGNORE", ""), ("", "ON CONFLICT DO NOTHING"))
        ),
        "INSERT INTO certificate SELECT * FROM certificate WHERE true ON CONFLICT DO UPDATE SET face_value_cents = 1",
        "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry WHERE certificate_id = <fresh>",
        "UPDATE OR REPLACE certificate SET code_lookup ="
        " (SELECT code_lookup FROM certificate WHERE id = <sold>) WHERE id = <fresh>",
        only="sqlite",
    ),
    *sql(IMMUTABLE, "UPDATE OR REPLACE certificate SET id = <sold> WHERE id = <fresh>", only="sqlite"),
    *sql(
        APPEND_ONLY,
        *(f"TRUNCATE {table} CASCADE" for table in ("ledger_entry", "certificate", "money_request", "ledger_seal")),
        "SET LOCAL session_replication_role = replica; UPDATE ledger_entry SET amount_cents = 1",
        "SET LOCAL session_replication_role = replica; DELETE FROM ledger_entry",
        "SET LOCAL session_replication_role = replica; DELETE FROM certificate",
        "SET LOCAL session_replication_role = replica; TRUNCATE ledger_entry CASCADE",
        "INSERT INTO money_request SELECT * FROM money_request ON CONFLICT (scope, key) DO UPDATE SET answer = 'other'",
        only="postgresql",
    ),
]

ON_TABLES = [*BY_HAND, *HISTORY]
