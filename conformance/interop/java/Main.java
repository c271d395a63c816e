import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.spiffe.provider.SpiffeSslContextFactory;
import io.spiffe.provider.SpiffeSslContextFactory.SslContextOptions;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.svid.jwtsvid.JwtSvid;
import io.spiffe.workloadapi.DefaultWorkloadApiClient;
import io.spiffe.workloadapi.DefaultX509Source;
import io.spiffe.workloadapi.Watcher;
import io.spiffe.workloadapi.WorkloadApiClient;
import io.spiffe.workloadapi.X509Context;
import io.spiffe.workloadapi.X509Source;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.LogManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** A workload in Java: java-spiffe asks an agent, by Netty, and speaks TLS. ../README.md has its commands and answers. */
public final class Main {
  private static final Gson GSON = new Gson();
  private static final int BYTES_MAX = 65_536;
  private static final int WAIT_SECONDS = 60;

  private record Command(@SerializedName("do") String verb, int count, String audience, String token, int port, String id) {}

  private static synchronized void say(Map<String, Object> line) {
    System.out.println(GSON.toJson(line));
  }

  private static Map<String, Object> describe(X509Context context) throws CertificateEncodingException {
    List<String> ids = new ArrayList<>();
    List<String> hints = new ArrayList<>();
    List<String> leaves = new ArrayList<>();
    for (var svid : context.getX509Svids()) {
      ids.add(svid.getSpiffeId().toString());
      hints.add(svid.getHint());
      leaves.add(HexFormat.of().formatHex(svid.getLeaf().getEncoded()));
    }
    Map<String, Integer> bundles = new LinkedHashMap<>();
    context
        .getX509BundleSet()
        .getBundles()
        .forEach((domain, bundle) -> bundles.put(domain.getName(), bundle.getX509Authorities().size()));
    return Map.of("event", "context", "ids", ids, "hints", hints, "leaves", leaves, "bundles", bundles);
  }

  private static Map<String, Object> refusal(Throwable error) {
    String code = "";
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      boolean isDenied =
          cause instanceof StatusRuntimeException status
              && status.getStatus().getCode() == Status.Code.PERMISSION_DENIED;
      if (isDenied) code = "PermissionDenied";
    }
    return Map.of("event", "error", "code", code, "text", textOf(error));
  }

  private static String textOf(Throwable error) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = error; cause != null; cause = cause.getCause()) text.append(cause).append("; ");
    return text.toString();
  }

  private static void watch(WorkloadApiClient client, int count) throws Exception {
    BlockingQueue<Object> updates = new LinkedBlockingQueue<>();
    client.watchX509Context(
        new Watcher<>() {
          @Override
          public void onUpdate(X509Context update) {
            updates.add(update);
          }

          @Override
          public void onError(Throwable error) {
            updates.add(error);
          }
        });
    for (int seen = 0; seen < count; seen++) {
      Object update = updates.poll(WAIT_SECONDS, TimeUnit.SECONDS);
      if (!(update instanceof X509Context context)) throw new IOException("no update: " + update);
      say(describe(context));
    }
  }

  private static Map<String, Object> mint(WorkloadApiClient client, String audience) throws Exception {
    JwtSvid svid = client.fetchJwtSvid(audience);
    List<String> ids = List.of(svid.getSpiffeId().toString());
    return Map.of("event", "jwt", "token", svid.getToken(), "ids", ids, "hints", List.of(svid.getHint()));
  }

  private static String verdict(Callable<JwtSvid> judge) {
    try {
      return judge.call().getSpiffeId().toString();
    } catch (Exception error) {
      return "refused: " + textOf(error);
    }
  }

  /** What the agent makes of a token, and what the library itself makes of it with the agent's JWT bundles. */
  private static Map<String, Object> judge(WorkloadApiClient client, String audience, String token)
      throws Exception {
    String remote = verdict(() -> client.validateJwtSvid(token, audience));
    var bundles = client.fetchJwtBundles();
    String local = verdict(() -> JwtSvid.parseAndValidate(token, bundles, Set.of(audience)));
    return Map.of("event", "verdict", "remote", remote, "local", local);
  }

  private static SslContextOptions.SslContextOptionsBuilder tls(X509Source source) {
    return SslContextOptions.builder().x509Source(source);
  }

  private static void answer(SSLSocket socket, SpiffeId own) throws Exception {
    try (socket) {
      InputStream in = socket.getInputStream();
      StringBuilder request = new StringBuilder();
      while (request.indexOf("\r\n\r\n") < 0 && request.length() < BYTES_MAX) {
        int octet = in.read();
        if (octet < 0) throw new IOException("the request ended early");
        request.append((char) octet);
      }
      var leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      Object peer = leaf.getSubjectAlternativeNames().iterator().next().get(1);
      String body = "Hello " + peer + " from " + own;
      String head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n\r\n";
      socket.getOutputStream().write((head + body).getBytes(StandardCharsets.UTF_8));
    }
  }

  private static Map<String, Object> serve(X509Source source) throws Exception {
    SpiffeId own = source.getX509Svid().getSpiffeId();
    SSLContext context = SpiffeSslContextFactory.getSslContext(tls(source).acceptAnySpiffeId().build());
    var server =
        (SSLServerSocket)
            context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    server.setNeedClientAuth(true);
    Thread accepting =
        new Thread(
            () -> {
              while (true) {
                try {
                  answer((SSLSocket) server.accept(), own);
                } catch (Exception error) {
                  System.err.println("java: " + textOf(error));
                }
              }
            });
    accepting.setDaemon(true);
    accepting.start();
    return Map.of("event", "listening", "port", server.getLocalPort());
  }

  private static Map<String, Object> call(X509Source source, int port, String id) throws Exception {
    Set<SpiffeId> accepted = Set.of(SpiffeId.parse(id));
    SSLContext context =
        SpiffeSslContextFactory.getSslContext(
            tls(source).acceptedSpiffeIdsSupplier(() -> accepted).build());
    try (var socket =
        (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
      String request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      byte[] received = socket.getInputStream().readNBytes(BYTES_MAX);
      return Map.of("event", "answer", "text", new String(received, StandardCharsets.UTF_8));
    }
  }

  private static X509Source source(String address) throws Exception {
    return DefaultX509Source.newSource(
        DefaultX509Source.X509SourceOptions.builder()
            .spiffeSocketPath(address)
            .initTimeout(Duration.ofSeconds(WAIT_SECONDS))
            .build());
  }

  private static Map<String, Object> obey(String address, Command command) throws Exception {
    var options = DefaultWorkloadApiClient.ClientOptions.builder().spiffeSocketPath(address).build();
    try (WorkloadApiClient client = DefaultWorkloadApiClient.newClient(options)) {
      switch (command.verb()) {
        case "fetch":
          return describe(client.fetchX509Context());
        case "watch":
          watch(client, command.count());
          return null;
        case "jwt":
          return mint(client, command.audience());
        case "judge":
          return judge(client, command.audience(), command.token());
        case "serve":
          return serve(source(address));
        case "call":
          try (X509Source source = source(address)) {
            return call(source, command.port(), command.id());
          }
        default:
          throw new IllegalArgumentException("unknown command " + command.verb());
      }
    }
  }

  public static void main(String[] args) throws Exception {
    LogManager.getLogManager().reset();
    String address = "unix:" + args[0];
    var commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      try {
        Map<String, Object> answer = obey(address, GSON.fromJson(line, Command.class));
        if (answer != null) say(answer);
      } catch (Exception error) {
        say(refusal(error));
      }
    }
    // The end of standard input is the end of the test; threads of libraries do not decide that.
    System.exit(0);
  }
}
