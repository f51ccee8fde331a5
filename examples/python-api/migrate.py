"""Brings the schema up to date; run before a new version starts. Each step leaves the version before it working."""

import os

import psycopg

STEPS = [
    "create table books (id bigint generated always as identity primary key, title text not null)",
    "alter table books add column finished boolean not null default false",
]
# Any number: whoever holds it migrates, others wait.
LOCK = 4_620_871


def main() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=10) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("create table if not exists steps (number int primary key)")
        [done] = connection.execute("select count(*) from steps").fetchone()
        for number, step in enumerate(STEPS[done:], done + 1):
            connection.execute(step)
            connection.execute("insert into steps values (%s)", (number,))
            print(f"step {number} done")
    print(f"schema is at step {max(done, len(STEPS))}")


main()
