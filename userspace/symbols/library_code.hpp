// SPDX-License-Identifier: Apache-2.0
// The culprit rule as data: what is not the application's own code, some tables for each language. application.cpp
// says how they are applied. A user adds to them with --library, --application and --helper.
#pragma once

#include "symbols/words.hpp"

namespace connleak::library_code {

// Shared libraries by the start of their soname or file name, wherever they lie: wheels bring their own copies.
inline constexpr Words kLibraries{R"(
  # libc, loaders, the kernel's pages
  ld-linux ld-musl libc. libc- libm. libmvec libpthread libdl. libresolv librt. libnss libutil. libanl libnsl
  libmusl linux-vdso linux-gate [
  # compilers' and languages' runtimes, sanitizers, allocators, unwinders
  libstdc++ libgcc_s libc++ libunwind libgomp libomp libtbb libgfortran libquadmath libatomic libgo. libasan
  libtsan libubsan liblsan libmsan libclang_rt libjemalloc libtcmalloc libmimalloc libsnmalloc libhoard
  libprofiler libbacktrace libpython libpypy libruby libperl libphp libjvm libjava libnio libnode libv8 libmono
  libcoreclr liblua libtcl libR. libjulia libguile libgraal
  # TLS, authentication, names
  libssl libcrypto libgnutls libnettle libmbed libwolfssl libbearssl libs2n libboringssl libnss3 libssl3
  libgssapi libkrb5 libk5crypto libcom_err libsasl libldap liblber libcares libidn libunistring libkeyutils
  # drivers
  libpq libecpg libpgtypes libpqxx libpqtypes libmariadb libmysqlclient libmysqlcppconn libmysqlpp libmysqlx
  libperconaserverclient libhiredis libredis++ libredis_cluster libvalkey libmongoc libmongocxx libbsoncxx
  libbson libmongocrypt libodbc libiodbc libodbcinst libodbccr psqlodbc libmyodbc libmaodbc libmsodbcsql
  libtdsodbc libsybdb libct. libtds libclntsh libocci libociei libnnz liboracle libcassandra libscylla
  libmemcached libmemcachedutil libfbclient libsqlite libduckdb libclickhouse libetcd librdkafka
  # what is put over drivers
  libsoci libPoco libQt5Sql libQt6Sql libQt5Core libQt6Core libQt5Network libQt6Network libsqlpp libodb libotl
  libnanodbc libcppdb libwtdbo libtntdb libdbi libgda libapr libaprutil libzdb libdrogon libuserver
  # loops, RPC, frameworks, tracing
  libuv. libevent libev. liburing libnghttp2 libcurl libgrpc libgpr libaddress_sorting libprotobuf libabsl
  libfolly libboost_ libfmt libspdlog libglib libgio libgobject libgthread libtrantor libcpprest libopentelemetry
  libasio
)"};

// Programs that run somebody else's code: their own frames are never the application's. The name, or the name with
// a version behind it ("python3.11"); not "node_exporter".
inline constexpr Words kInterpreters{R"(
  python pypy graalpy ruby truffleruby jruby perl php php-fpm php-cgi php-cli node nodejs java jsvc beam.smp erl
  dotnet mono mono-sgen deno bun lua luajit tclsh Rscript R julia guile uwsgi uwsgi-core uwsgi_python frankenphp
  hhvm
)"};

// Shared libraries below these are the system's.
inline constexpr Words kLibraryDirectories{R"(
  /usr/lib/ /usr/lib64/ /usr/lib32/ /usr/libexec/ /lib/ /lib64/ /lib32/ /nix/store/ /snap/ /opt/conda/lib/
  /usr/local/cuda
)"};

// Installed packages' extension modules.
inline constexpr Words kLibraryPathParts{R"(
  /site-packages/ /dist-packages/ /lib-dynload/ /node_modules/ /gems/ /vendor/bundle/ /jre/lib/ /jvm/
)"};

// C and C++ sources; inlined from there, it is the library's code.
inline constexpr Words kSystemHeaders{R"(
  /usr/include/ /usr/lib/gcc/ /usr/lib/llvm /usr/local/include/
)"};

// C++: outermost namespaces and classes, with "::" between where one alone would say too much.
inline constexpr Words kCppLibraries{R"(
  std __gnu_cxx __gnu_debug __cxxabiv1 __asan __tsan __ubsan __sanitizer __interception boost asio fmt spdlog
  absl folly tbb google::protobuf grpc grpc_core grpc_event_engine opentelemetry prometheus nlohmann rapidjson
  pqxx soci sw::redis mysqlx mysqlpp mysqlcppconn sql::mysql sql::mariadb mongocxx bsoncxx nanodbc odb
  otl_connect sqlpp sqlite_orm Poco oatpp drogon::orm drogon::internal trantor userver cppdb Wt::Dbo Pistache
  proxygen wangle QSqlDatabase QSqlQuery QSqlDriver QSqlResult QSqlTableModel QSqlQueryModel QPSQLDriver
  QMYSQLDriver QMetaObject QObject QEventLoop QCoreApplication QApplication QThread QThreadPool QtConcurrent
  QtPrivate
)"};

// C functions of drivers, TLS, libc and runtimes that were linked into the program itself: by their start,
inline constexpr Words kCPrefixes{R"(
  PQconn PQexec PQsend PQget PQprepare PQflush PQreset PQfinish PQping PQconsume PQput PQdescribe
  PQsetnonblocking pqSocket pqsecure_ pqRead pqFlush pqSend pqConnect pqPacket pqPut pqWait pqGets pgtls_ pg_GSS
  mysql_real_ mysql_send_ mysql_stmt_ mysql_init mysql_close mysql_ping mysql_query mysql_net_ mysql_read_
  mysql_reset_ mysql_change_ mysql_commit mysql_rollback mysql_autocommit mysql_select_ mysql_next_ mysql_store_
  mysql_use_ cli_advanced_command cli_read_ vio_ mthd_my_ mthd_stmt_ ma_net_ ma_pvio_ pvio_socket_
  ma_simple_command redisConnect redisCommand redisvCommand redisGetReply redisBuffer redisNet redisContext
  redisReconnect redisAppend redisAsync redisCluster redisReader valkeyConnect valkeyCommand valkeyGetReply
  valkeyBuffer mongoc_ _mongoc_ bson_ memcached_ dbsql dbcmd dbresults tds_ tds7_ SQLDriver SQLExec SQLConnect
  SQLPrepare SQLFetch SQLDisconnect SQLEndTran OCI sqlite3_ cass_ SSL_ BIO_ ssl3_ ssl_ tls_write tls1_ EVP_ ERR_
  CRYPTO_ gnutls_ mbedtls_ wolfSSL_ grpc_ gpr_ curl_ uv_ uv__ event_base_ ev_run io_uring_ __libc_ __GI_
  __syscall __cxa_ __pthread_ pthread_ __asan __tsan __ubsan __interceptor __sanitizer
)"};

// or by their whole name.
inline constexpr Words kCNames{R"(
  connect __connect send __send sendto __sendto sendmsg __sendmsg sendmmsg write __write writev __writev pwrite
  close __close recv __recv recvfrom recvmsg read __read readv poll __poll ppoll epoll_wait getaddrinfo _start
  __start _init _fini __clone __clone3 clone3 clone start_thread syscall syscall_cp __restore_rt start_c
  libc_start_main libc_start_main_stage2 malloc free calloc realloc
)"};

// Go: first elements of the import paths of the standard library (go list std), and what the linker makes.
inline constexpr Words kGoStandard{R"(
  archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt
  go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime simd
  slices sort strconv strings structs sync syscall testing text time type: unicode unique unsafe vendor weak go:
  _cgo_export
)"};

// Modules and packages by import path, and all below. What lies in the module cache or in a vendor directory is a
// library anyhow; these are for builds that hide where the source was.
inline constexpr Words kGoModules{R"(
  # PostgreSQL
  github.com/lib/pq github.com/jackc github.com/go-pg/pg github.com/pgpool github.com/vgarvardt/pgx-google-uuid
  github.com/georgysavva/scany github.com/cockroachdb/cockroach-go github.com/uptrace/bun
  # MySQL
  github.com/go-sql-driver/mysql github.com/go-mysql-org/go-mysql github.com/siddontang/go-mysql
  github.com/ziutek/mymysql vitess.io/vitess
  # Redis, memcached
  github.com/redis github.com/go-redis github.com/gomodule/redigo github.com/garyburd/redigo github.com/valkey-io
  github.com/mediocregopher/radix github.com/go-redsync github.com/hibiken/asynq github.com/eko/gocache
  github.com/bradfitz/gomemcache github.com/rainycape/memcache
  # others
  go.mongodb.org github.com/globalsign/mgo gopkg.in/mgo.v2 github.com/qiniu/qmgo github.com/denisenkom/go-mssqldb
  github.com/microsoft/go-mssqldb github.com/sijms/go-ora github.com/godror/godror github.com/mattn
  github.com/gocql/gocql github.com/scylladb github.com/apache/cassandra-gocql-driver github.com/ClickHouse
  github.com/alexbrainman/odbc github.com/snowflakedb modernc.org github.com/nakagami/firebirdsql
  # mappers, builders, migrations, wrappers of database/sql
  gorm.io github.com/jinzhu/gorm github.com/jmoiron/sqlx entgo.io/ent github.com/ent xorm.io github.com/go-xorm
  github.com/upper/db github.com/beego/beego github.com/astaxie/beego github.com/go-gorp/gorp
  github.com/Masterminds/squirrel github.com/doug-martin/goqu github.com/huandu/go-sqlbuilder
  github.com/volatiletech github.com/aarondl github.com/stephenafamo/bob github.com/go-jet/jet
  github.com/blockloop/scan github.com/golang-migrate github.com/pressly/goose github.com/rubenv/sql-migrate
  github.com/XSAM/otelsql github.com/ngrok/sqlmw github.com/qustavo/sqlhooks github.com/gchaincl/sqlhooks
  github.com/luna-duclos/instrumentedsql go.nhat.io/otelsql github.com/simukti/sqldb-logger github.com/DATA-DOG
  # frameworks, RPC, tracing, logging
  golang.org/x google.golang.org google.golang.org/grpc github.com/gin-gonic github.com/labstack
  github.com/gofiber github.com/valyala github.com/go-chi github.com/gorilla github.com/julienschmidt/httprouter
  github.com/urfave github.com/spf13 github.com/go-kit github.com/go-kratos github.com/zeromicro
  github.com/cloudwego github.com/gogf github.com/kataras github.com/revel go.uber.org github.com/grpc-ecosystem
  github.com/99designs/gqlgen github.com/graphql-go connectrpc.com github.com/twitchtv/twirp go.opentelemetry.io
  go.opencensus.io github.com/DataDog gopkg.in/DataDog github.com/newrelic go.elastic.co github.com/getsentry
  github.com/prometheus github.com/sirupsen github.com/rs/zerolog github.com/cenkalti/backoff
  github.com/avast/retry-go github.com/sony/gobreaker github.com/robfig/cron github.com/go-co-op/gocron
  github.com/stretchr github.com/onsi github.com/panjf2000 github.com/sourcegraph/conc github.com/aws
  github.com/google/wire
)"};

// Parts of sources' paths: the module cache (path@version under -trimpath), vendor directories, Bazel.
inline constexpr Words kGoPathParts{R"(
  /pkg/mod/ @v /vendor/ external/com_github_ external/org_golang_ external/in_gopkg_ external/gazelle~
)"};

// Rust: crates; '*' stands for any text.
inline constexpr Words kRustCrates{R"(
  # the language
  std core alloc proc_macro test rustc_demangle std_detect compiler_builtins panic_unwind __rustc hashbrown
  backtrace gimli addr2line object memchr miniz_oxide libc nix rustix cfg_if
  # runtimes
  tokio tokio_util tokio_stream tokio_rustls tokio_native_tls tokio_openssl tokio_tungstenite async_std smol
  async_io async_executor async_global_executor async_task async_compat polling mio socket2 futures futures_*
  pin_project* crossbeam crossbeam_* parking_lot parking_lot_core rayon rayon_core threadpool glommio monoio
  compio once_cell lazy_static bytes
  # drivers
  postgres tokio_postgres postgres_protocol postgres_types postgres_native_tls postgres_openssl
  tokio_postgres_rustls cornucopia* pq_sys mysql mysql_async mysql_common mysqlclient_sys redis
  redis_cluster_async fred rustis redis_protocol mongodb bson tiberius oracle odbc_api odbc_sys scylla scylla_cql
  cdrs_tokio clickhouse memcache rusqlite libsqlite3_sys duckdb
  # pools, mappers
  sqlx sqlx_* deadpool deadpool_* bb8 bb8_* r2d2 r2d2_* mobc mobc_* qp diesel diesel_* sea_orm sea_orm_*
  sea_query sea_query_* refinery* welds rbatis rbdc* rbs ormx quaint prisma_client_rust barrel
  # TLS, HTTP, frameworks, tracing
  rustls rustls_* native_tls openssl openssl_sys webpki ring hyper hyper_* h2 http tower tower_* axum axum_*
  actix actix_* rocket rocket_* warp poem poem_* salvo salvo_* tide reqwest tonic prost async_graphql
  async_graphql_* juniper tracing tracing_* log env_logger opentelemetry opentelemetry_* metrics* sentry sentry_*
  anyhow eyre color_eyre backoff backon async_trait aws_* clap clap_*
)"};

// Parts of sources' paths.
inline constexpr Words kRustPathParts{R"(
  /rustc/ /.cargo/registry/ /.cargo/git/ /cargo/registry/ /cargo/git/ /rust/deps/ /rust/library/ /vendor/
)"};

// Parts of files' paths: installed, zipped and vendored packages, the interpreter's own library. What lies
// elsewhere is the project's, "<string>" and "<stdin>" too; a project that is installed like a package is taken
// for one, until
// --application names it.
inline constexpr Words kPythonPathParts{R"(
  /lib/python2 /lib/python3 /lib64/python2 /lib64/python3 /lib/pypy /lib64/pypy /site-packages/ /dist-packages/
  .egg/ .whl/ /.pex/ /installed_wheels/ /lib-python/ /lib_pypy/ /_vendor/ /_vendored/ /vendor/ /vendored/
  /_vendored_packages/ /third_party/ /.local/pipx/ /venv/bin/ /.venv/bin/ /env/bin/ /.env/bin/ /virtualenv/bin/
  /.pyenv/
)"};
// Starts of what stands for a file where there is none.
inline constexpr Words kPythonNoFiles{R"(
  <frozen <attrs <__array_function__ <decorator-gen <cyfunction <makefun
)"};
// Scripts without an ending that start a program, in any bin directory.
inline constexpr Words kPythonLaunchers{R"(
  gunicorn uvicorn hypercorn daphne waitress-serve uwsgi granian celery dramatiq rq huey flask django-admin
  fastapi pytest py.test nose2 nosetests coverage tox nox locust scrapy airflow superset jupyter ipython
  supervisord ddtrace-run newrelic-admin opentelemetry-instrument alembic aerich pip poetry pipenv uv honcho
)"};

// Parts of files' paths.
inline constexpr Words kRubyPathParts{R"(
  /gems/ /rubygems/ /vendor/bundle/ /vendor/ruby/ /vendor/gems/ /vendor/cache/ /usr/lib/ruby/ /usr/share/rubygems
  /lib/ruby/ /bundler/ <internal: uri:classloader: /bin/bundle /bin/bundler /bin/puma /bin/unicorn /bin/sidekiq
  /bin/rackup
)"};

// Parts of files' paths. A function without a file is PHP's own.
inline constexpr Words kPhpPathParts{R"(
  /vendor/ /usr/share/php /usr/lib/php phar:// /pear/ /wp-includes/ /wp-admin/ /core/lib/Drupal/ /typo3/sysext/
  /system/database/ /system/core/CodeIgniter.php /lib/phpunit /fuel/core/ /cake/libs/ /lib/Cake/
)"};

// Parts of files' paths and addresses. A function without a file is the engine's own.
inline constexpr Words kJavaScriptPathParts{R"(
  node_modules/ node:internal /.yarn/ .pnp.cjs .pnp.loader.mjs /.pnpm/ /.npm/ /usr/share/nodejs/ /usr/lib/nodejs/
  /usr/share/npm/ /bower_components/ webpack/bootstrap webpack/runtime
)"};
// Starts of the files' names.
inline constexpr Words kJavaScriptStarts{R"(
  node: internal/ ext: deno: bun: https://deno.land/ https://esm.sh/ https://jsr.io/ https://cdn. evalmachine.
)"};
// The modules of Node before version 16 have no directory and no "node:".
inline constexpr Words kJavaScriptFiles{R"(
  _http_agent.js _http_client.js _http_common.js _http_incoming.js _http_outgoing.js _http_server.js
  _stream_duplex.js _stream_readable.js _stream_transform.js _stream_writable.js _tls_wrap.js assert.js
  async_hooks.js buffer.js child_process.js cluster.js dgram.js diagnostics_channel.js dns.js domain.js events.js
  fs.js http.js http2.js https.js module.js net.js perf_hooks.js stream.js string_decoder.js timers.js tls.js
  url.js util.js v8.js vm.js worker_threads.js zlib.js
)"};

// Java, Kotlin, Scala, Clojure, Groovy: packages, and all below.
inline constexpr Words kJavaPackages{R"(
  # the platform and its languages
  java javax jdk sun com.sun jakarta kotlin kotlinx scala clojure groovy org.codehaus groovyjarjar org.graalvm
  com.oracle.graal com.oracle.svm
  # drivers
  org.postgresql com.impossibl.postgres com.mysql org.gjt.mm.mysql org.mariadb oracle com.microsoft.sqlserver
  net.sourceforge.jtds com.mongodb org.bson com.datastax com.scylladb redis.clients io.lettuce org.redisson
  io.r2dbc dev.miku com.github.jasync com.ibm.db2 com.sybase org.h2 org.hsqldb org.sqlite org.firebirdsql
  net.snowflake com.clickhouse ru.yandex.clickhouse net.spy.memcached com.rubyeye.xmemcached net.rubyeye
  com.whalin org.duckdb software.amazon.jdbc
  # pools and wrappers of JDBC
  com.zaxxer.hikari com.mchange org.vibur io.agroal com.alibaba.druid com.jolbox.bonecp snaq.db
  org.logicalcobwebs com.p6spy net.ttddyy net.bull.javamelody com.atomikos bitronix org.enhydra net.sf.log4jdbc
  # mappers, migrations
  org.hibernate org.eclipse.persistence org.jooq org.mybatis com.baomidou com.querydsl com.blazebit org.jdbi
  org.sql2o org.skife.jdbi io.ebean com.avaje org.datanucleus liquibase org.flywaydb org.jetbrains.exposed
  org.ktorm slick doobie scalikejdbc skunk zio io.getquill anorm com.github.mauricio korma honeysql next.jdbc
  # frameworks, servers, loops
  org.apache org.springframework io.netty org.eclipse org.glassfish org.jboss org.wildfly io.undertow io.quarkus
  io.smallrye io.micronaut io.vertx io.ktor io.javalin io.helidon io.dropwizard spark.Spark spark.http ratpack
  reactor io.reactivex rx akka org.apache.pekko play com.typesafe cats monix fs2 org.http4s com.twitter
  com.linecorp io.grpc okhttp3 okio retrofit2 feign com.netflix com.ibm.ws com.ibm.websphere weblogic com.caucho
  ring compojure org.quartz com.lmax com.vaadin org.grails grails
  # utilities, logging, tracing, tests, tools
  com.google com.fasterxml org.slf4j ch.qos.logback org.aspectj net.bytebuddy net.sf.cglib javassist
  org.objenesis io.opentelemetry io.opentracing io.micrometer io.prometheus io.sentry datadog com.newrelic
  com.dynatrace co.elastic brave zipkin2 io.github.resilience4j dev.failsafe net.jodah org.junit junit org.testng
  org.mockito org.gradle worker.org.gradle com.intellij com.amazonaws software.amazon org.jetbrains.kotlin
)"};

// Parts of the names of classes that are made at run time around the application's.
inline constexpr Words kJavaMadeParts{R"(
  $$Lambda $$EnhancerBy $$FastClassBy $$SpringCGLIB $HibernateProxy $ByteBuddy $MockitoMock $Proxy _$$_jvst
  _WeldClientProxy _ClientProxy _Subclass $$Intercepted GeneratedMethodAccessor GeneratedConstructorAccessor
)"};

}  // namespace connleak::library_code
