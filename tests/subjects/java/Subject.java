// SPDX-License-Identifier: Apache-2.0
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** What every subject in Java shares: the pace of its requests, its end, its server. */
final class Subject {
  private static long began;
  private static long lull;
  private static int served;
  private static final AtomicInteger refused = new AtomicInteger();

  private Subject() {}

  /** True every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s. */
  static boolean next() throws InterruptedException {
    final long now = System.currentTimeMillis();
    if (began == 0) {
      began = lull = now;
    }
    if (System.getenv("SUBJECT_BURSTS") != null && now > lull + 3000) {
      Thread.sleep(1000);
      lull = System.currentTimeMillis();
    }
    Thread.sleep(20);
    served++;
    final String seconds = System.getenv().getOrDefault("SUBJECT_SECONDS", "12");
    return System.currentTimeMillis() < began + (long) (1000 * (Double.parseDouble(seconds) - 1.5));
  }

  /** A quiet end; what is open is closed by the exit alone. */
  static void end(final int leaked) throws InterruptedException {
    Thread.sleep(1500);
    System.out.println("{\"leaked\": " + leaked + ", \"requests\": " + served + ", \"refused\": " + refused + "}");
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  interface Handler {
    int handle(String path) throws Exception;
  }

  /** Answers over HTTP with the status of the handler, a thread a request, until clients.py has asked for all it wants. */
  static void service(final Handler handler) throws Exception {
    final var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 128);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", exchange -> {
      try {
        final int status = handler.handle(exchange.getRequestURI().getPath());
        refused.addAndGet(status == 503 ? 1 : 0);
        exchange.sendResponseHeaders(status, -1);
      } catch (Exception error) {
        throw new java.io.IOException(error);
      } finally {
        exchange.close();
      }
    });
    server.start();
    final var port = String.valueOf(server.getAddress().getPort());
    new ProcessBuilder("/usr/bin/python3", System.getenv("SUBJECT_CLIENTS"), port).inheritIO().start().waitFor();
  }

  static String url() {
    return "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE") + "?user=" + System.getenv("PGUSER") + "&sslmode=" + System.getenv("PGSSLMODE");
  }

  static Connection connect() throws SQLException {
    return DriverManager.getConnection(url());
  }

  static void query(final Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
  }

  static com.zaxxer.hikari.HikariDataSource hikari(final int idle, final int most) {
    final var config = new com.zaxxer.hikari.HikariConfig();
    config.setJdbcUrl(url());
    config.setMinimumIdle(idle);
    config.setMaximumPoolSize(most);
    return new com.zaxxer.hikari.HikariDataSource(config);
  }
}
