// SPDX-License-Identifier: Apache-2.0
// Functions by which pools look after their members: a connection that was last used by one of these was last used
// by nobody.
#pragma once

#include "symbols/words.hpp"

namespace connleak::library_code {

// FUNCTION or FUNCTION@FILE; '*' stands for any text (in "(*DB)" for itself, too). Interpreters that know only a
// function's short name give that.
inline constexpr Words kHousekeeping{R"(
  # C and C++
  PQreset PQresetStart PQresetPoll mysql_ping mysql_reset_connection mysql_change_user cli_change_user
  soci::session::reconnect* soci::session::is_connected* sw::redis::*::ping* userver::storages::*Ping*
  mongoc_server_monitor_* _server_monitor_* sql::mysql::MySQL_Connection::isValid* sql::mariadb::*::isValid*
  drogon::orm::*::ping*
  # Go
  database/sql.(*DB).Ping* database/sql.(*DB).pingDC* database/sql.(*Conn).PingContext*
  database/sql.(*DB).connectionOpener database/sql.(*DB).connectionCleaner
  database/sql.(*driverConn).resetSession database/sql.(*driverConn).validateConnection
  github.com/jackc/pgx/*pgxpool.(*Pool).backgroundHealthCheck* github.com/jackc/pgx/*pgxpool.(*Pool).check*
  github.com/jackc/pgx/*pgxpool.(*Pool).createIdleResources* github.com/jackc/pgx/*pgxpool.(*Pool).Ping*
  github.com/jackc/pgx/*.(*Conn).Ping* github.com/jackc/pgx/*pgconn.(*PgConn).CheckConn
  github.com/jackc/pgx/*.(*Conn).ResetSession github.com/jackc/pgconn.(*PgConn).CheckConn
  github.com/jackc/puddle/*.(*Pool*).CreateResource* github.com/lib/pq.(*conn).Ping*
  github.com/lib/pq.(*conn).ResetSession github.com/go-sql-driver/mysql.(*mysqlConn).Ping*
  github.com/go-sql-driver/mysql.(*mysqlConn).ResetSession github.com/go-pg/pg/*.(*baseDB).Ping*
  github.com/redis/go-redis/*/internal/pool.(*ConnPool).isHealthyConn*
  github.com/redis/go-redis/*/internal/pool.(*ConnPool).checkMinIdleConns*
  github.com/redis/go-redis/*.(*ClusterClient).loadState*
  github.com/go-redis/redis/*/internal/pool.(*ConnPool).reaper* github.com/redis/rueidis.(*pipe).backgroundPing*
  go.mongodb.org/mongo-driver/*topology.(*Server).update* go.mongodb.org/mongo-driver/*topology.(*Server).check*
  go.mongodb.org/mongo-driver/*topology.(*rttMonitor)* go.mongodb.org/mongo-driver/*topology.(*pool).maintain*
  github.com/microsoft/go-mssqldb.(*Conn).Ping* github.com/microsoft/go-mssqldb.(*Conn).ResetSession
  github.com/gocql/gocql.(*Conn).heartBeat*
  # Rust
  *sqlx_*::ping* *sqlx_*::check_idle_conn* *sqlx_*::spawn_maintenance_tasks* *deadpool_*::recycle*
  *bb8_*::is_valid* *r2d2_*::is_valid* *bb8::*::reap* *mobc_*::check* mysql_async::*::ping*
  mysql_async::*::reset* mysql::*::ping mysql::*::reset* tiberius::*::reset*
  # Python
  *do_ping@*/sqlalchemy/* *_do_ping_w_event@*/sqlalchemy/* *reset@*/sqlalchemy/pool/*
  *_finalize_fairy@*/sqlalchemy/pool/* *check_connection@*/psycopg_pool/* *check@*/psycopg_pool/*
  *_reset_connection@*/psycopg_pool/* *reset@*/asyncpg/* *ping@*/pymysql/* *ping@*/MySQLdb/* *ping@*/aiomysql/*
  *ping@*/asyncmy/* *ping@*/mysql/connector/* *reset_session@*/mysql/connector/*
  *cmd_reset_connection@*/mysql/connector/* *is_usable@*/django/db/* *close_if_unusable_or_obsolete@*/django/db/*
  *_ping_check@*/dbutils/* *_ping_check@*/DBUtils/* *check_health@*/redis/* *_send_ping@*/redis/*
  *_check_with_socket@*/pymongo/* *check_alive@*/peewee* *is_alive@*/tortoise/*
  # Ruby
  *active?@*/active_record/connection_adapters/* *verify!@*/active_record/connection_adapters/*
  *reset!@*/active_record/connection_adapters/* *reap@*/active_record/connection_adapters/*
  *flush@*/active_record/connection_adapters/* *valid_connection?@*/sequel/* *ping@*/mysql2*
  *reap@*/connection_pool*
  # PHP
  mysqli_ping mysqli::ping pg_ping pg_connection_reset *ping@*/doctrine/dbal/* *check@*/hyperf/*pool/*
  # JavaScript
  *ping@*node_modules/mysql* *ping@*node_modules/mariadb/* *validate*@*node_modules/tarn/*
  *validate*@*node_modules/generic-pool/* *validateConnection@*node_modules/knex/*
  *validate*@*node_modules/sequelize* *_readyCheck@*node_modules/ioredis/* *ping*@*node_modules/@redis/*
  *monitorServer@*node_modules/mongodb/* *checkServer@*node_modules/mongodb/*
  # Java
  com.zaxxer.hikari.pool.*.isConnectionAlive com.zaxxer.hikari.pool.*.isConnectionDead
  com.zaxxer.hikari.pool.*.resetConnectionState com.zaxxer.hikari.pool.*$HouseKeeper.run
  com.zaxxer.hikari.pool.*$KeepaliveTask.run org.apache.commons.dbcp*.validate*
  org.apache.commons.dbcp*.passivate* org.apache.commons.pool*.evict org.apache.commons.pool*$Evictor.run
  org.apache.tomcat.jdbc.pool.*.validate org.apache.tomcat.jdbc.pool.*.testAllIdle com.mchange.v2.c3p0.*Tester.*
  com.mchange.v2.c3p0.*.testPooledConnection* com.mchange.v2.c3p0.*.refurbish*
  com.alibaba.druid.pool.*.testConnectionInternal com.alibaba.druid.pool.*Checker.isValidConnection
  io.agroal.pool.*.validate* io.agroal.pool.*$ValidationTask.* oracle.ucp.*.isValid oracle.jdbc.*.isValid
  oracle.jdbc.*.pingDatabase org.postgresql.jdbc.*.isValid com.mysql.*.isValid com.mysql.*.ping
  com.mysql.*.pingInternal org.mariadb.jdbc.*.isValid com.microsoft.sqlserver.jdbc.*.isValid
  io.lettuce.core.*.ping redis.clients.jedis.*.validateObject redis.clients.jedis.*.ping
  org.redisson.*PingConnectionHandler* io.r2dbc.pool.*.validate* com.mongodb.internal.connection.*Monitor*.run
  com.datastax.*HeartbeatHandler*
)"};

}  // namespace connleak::library_code
