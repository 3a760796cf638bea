# SPDX-License-Identifier: MIT
"""Settings of a server that must not change an answer of ours."""

import collections
import contextlib

# variables: global variables during the test. options: of the server's command line.
Hostile = collections.namedtuple("Hostile", "name variables options", defaults=({}, ()))


def _at_connect(text):
    return {"init_connect": text}


HOSTILE = [
    Hostile("autocommit=0", {"autocommit": 0}),
    Hostile("init_connect: autocommit=0", _at_connect("SET autocommit=0")),
    Hostile("init_connect: a transaction", _at_connect("START TRANSACTION WITH CONSISTENT SNAPSHOT")),
    Hostile("completion_type=CHAIN", {**_at_connect("SET autocommit=0; BEGIN"),
                                      "completion_type": "CHAIN"}),
    Hostile("completion_type=RELEASE", {"completion_type": "RELEASE", "autocommit": 0}),
    Hostile("init_connect: latin1", _at_connect("SET NAMES latin1")),
    Hostile("init_connect: utf8mb3", _at_connect("SET NAMES utf8mb3")),
    Hostile("init_connect: binary", _at_connect("SET NAMES binary")),
    Hostile("init_connect: results as stored", _at_connect("SET character_set_results=NULL")),
    Hostile("init_connect: utf8mb4_bin", _at_connect("SET NAMES utf8mb4 COLLATE utf8mb4_bin")),
    Hostile("collations", {"collation_connection": "utf8mb4_swedish_ci",
                           "collation_server": "latin1_german1_ci",
                           "collation_database": "latin1_bin"}),
    Hostile("handshake", {}, ("--skip-character-set-client-handshake",
                              "--character-set-server=latin1",
                              "--collation-server=latin1_swedish_ci")),
    Hostile("init_connect: sql_select_limit=1", _at_connect("SET sql_select_limit=1")),
    Hostile("sql_select_limit=1", {"sql_select_limit": 1}),
    Hostile("max_join_size=1", {"max_join_size": 1, "sql_big_selects": 0}),
    Hostile("init_connect: ORACLE", _at_connect("SET sql_mode=ORACLE")),
    Hostile("sql_mode", {"sql_mode": "ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,"
                                     "HIGH_NOT_PRECEDENCE,EMPTY_STRING_IS_NULL,"
                                     "TIME_ROUND_FRACTIONAL,ONLY_FULL_GROUP_BY,TRADITIONAL"}),
    Hostile("READ UNCOMMITTED", {"tx_isolation": "READ-UNCOMMITTED"}),
    Hostile("SERIALIZABLE", {"tx_isolation": "SERIALIZABLE", "autocommit": 0}),
    Hostile("read only", {"tx_read_only": 1, "read_only": 1, "sql_auto_is_null": 1,
                          "sql_safe_updates": 1}),
    Hostile("time_zone", {"time_zone": "+11:00"}),
    Hostile("time limits", {"max_statement_time": 5, "lock_wait_timeout": 0}),
    Hostile("low limits", {
        "max_sort_length": 8, "group_concat_max_len": 4, "div_precision_increment": 0,
        "max_heap_table_size": 16384, "tmp_table_size": 1024, "join_buffer_size": 128,
        "sort_buffer_size": 1024, "max_error_count": 0, "net_buffer_length": 1024,
        "max_length_for_sort_data": 4, "in_predicate_conversion_threshold": 2}),
    Hostile("optimizer", {
        "optimizer_switch": "derived_merge=off,derived_with_keys=off,semijoin=off,"
                            "materialization=off,mrr=on,mrr_cost_based=off,mrr_sort_keys=on,"
                            "join_cache_bka=off,index_condition_pushdown=off,"
                            "optimize_join_buffer_size=off,split_materialized=off",
        "join_cache_level": 8, "optimizer_search_depth": 0, "optimizer_prune_level": 0}),
    Hostile("query cache", {"query_cache_type": 1, "query_cache_size": 1 << 20,
                            "query_cache_limit": 1 << 20}),
]
# Each of these would change answers in its own way if nothing were done against it.
CHEAP = ["init_connect: autocommit=0", "init_connect: a transaction", "init_connect: latin1",
         "init_connect: utf8mb3", "handshake", "init_connect: sql_select_limit=1",
         "max_join_size=1", "READ UNCOMMITTED"]

# An administrator's own session, whatever the settings are.
SANE = ("SET autocommit=1, sql_mode='', tx_isolation='REPEATABLE-READ', "
        "sql_select_limit=18446744073709551615, completion_type=0, tx_read_only=0, "
        "sql_big_selects=1, sql_safe_updates=0; SET NAMES utf8mb4; ")
CLIENTS = ("mum_postfix", "mum_dovecot")


def _literal(value):
    return value if value.replace(".", "").isdigit() else f"'{value}'"


@contextlib.contextmanager
def hostile(server, setting):
    """The server has these settings meanwhile, and our connections are new."""
    if setting.options:
        server.stop()
        server.start(options=setting.options)
    old = {name: server.sql(SANE + f"SELECT @@global.{name}")[0][0]
           for name in setting.variables}
    try:
        for name, value in setting.variables.items():
            server.sql(SANE + f"SET GLOBAL {name} = {_literal(str(value))}")
        disconnect(server)
        yield
    finally:
        for name, value in old.items():
            server.sql(SANE + f"SET GLOBAL {name} = {_literal(value)}")
        if setting.options:
            server.stop()
            server.start()
        disconnect(server)


def disconnect(server):
    """Ends our connections; new ones are made."""
    for user in CLIENTS:
        server.sql(f"KILL USER {user}")


def sees_changes(server, mumd, number):
    """What is wrong with its answers about a domain that comes and goes; nothing if all is
    right.
    """
    domain = f"hostile{number}.test"
    insert = f"INSERT INTO domains (domain, homedir) VALUES ('{domain}', '/x')"
    said = [mumd.lookup("domains", domain)]
    with server.session() as session:
        session.execute(SANE + "BEGIN")
        session.execute(insert)
        said.append(mumd.lookup("domains", domain))
        session.execute("ROLLBACK")
    server.sql(SANE + insert, database="mum")
    said.append(mumd.lookup("domains", domain))
    server.sql(SANE + f"DELETE FROM domains WHERE domain = '{domain}'", database="mum")
    said.append(mumd.lookup("domains", domain))
    names = ("before", "not committed", "there", "gone")
    expected = (b"NOTFOUND ", b"NOTFOUND ", b"OK " + domain.encode(), b"NOTFOUND ")
    return [f"{name}: {answer!r}" for name, answer, right in zip(names, said, expected)
            if answer != right]
