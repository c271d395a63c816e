//! A workload in Rust: `spiffe` asks an agent, `spiffe-rustls` speaks TLS. Its commands and answers are those of
//! ../README.md.

use std::{io, io::BufRead as _, sync::Arc};

use futures_util::StreamExt as _;
use rustls::pki_types::ServerName;
use serde_json::{Map, Value, json};
use spiffe::{Certificate, JwtSvid, SpiffeId, WorkloadApiClient, WorkloadApiError, X509Context, X509Source};
use spiffe_rustls::{authorizer, mtls_client, mtls_server};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What one side of a conversation may send.
const TEXT_BYTES_MAX: u64 = 65_536;

fn say(line: &Value) {
    println!("{line}");
}

fn text(command: &Value, field: &str) -> String {
    command[field].as_str().unwrap_or_default().to_owned()
}

fn describe(context: &X509Context) -> Value {
    let svids = context.svids();
    let ids: Vec<_> = svids.iter().map(|svid| svid.spiffe_id().to_string()).collect();
    let hints: Vec<_> = svids.iter().map(|svid| svid.hint().unwrap_or_default()).collect();
    let leaves: Vec<_> = svids
        .iter()
        .map(|svid| svid.leaf().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        .collect();
    let bundles: Map<_, _> = context
        .bundle_set()
        .iter()
        .map(|(domain, bundle)| (domain.to_string(), json!(bundle.authorities().len())))
        .collect();
    json!({"event": "context", "ids": ids, "hints": hints, "leaves": leaves, "bundles": bundles})
}

fn refusal(error: &Failure) -> Value {
    let denied = matches!(
        error.downcast_ref::<WorkloadApiError>(),
        Some(WorkloadApiError::NoIdentityIssued | WorkloadApiError::PermissionDenied(_))
    );
    let code = if denied { "PermissionDenied" } else { "" };
    json!({"event": "error", "code": code, "text": error.to_string()})
}

async fn watch(client: &WorkloadApiClient, count: u64) -> Result<(), Failure> {
    let mut updates = client.stream_x509_contexts().await?;
    for _ in 0..count {
        let context = updates.next().await.ok_or("the stream ended")??;
        say(&describe(&context));
    }
    Ok(())
}

async fn mint(client: &WorkloadApiClient, audience: &str) -> Result<Value, Failure> {
    let svid = client.fetch_jwt_svid([audience], None).await?;
    let (id, hint) = (svid.spiffe_id().to_string(), svid.hint().unwrap_or_default());
    Ok(json!({"event": "jwt", "token": svid.token(), "ids": [id], "hints": [hint]}))
}

/// What the agent makes of a token, and what the library itself makes of it with the agent's JWT bundles.
async fn judge(client: &WorkloadApiClient, audience: &str, token: &str) -> Result<Value, Failure> {
    let remote = match client.validate_jwt_token(audience, token).await {
        Ok(svid) => svid.spiffe_id().to_string(),
        Err(error) => format!("refused: {error}"),
    };
    let bundles = client.fetch_jwt_bundles().await?;
    let local = match JwtSvid::parse_and_validate(token, &bundles, &[audience]) {
        Ok(svid) => svid.spiffe_id().to_string(),
        Err(error) => format!("refused: {error}"),
    };
    Ok(json!({"event": "verdict", "remote": remote, "local": local}))
}

async fn read_until_blank_line(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < 65_536 {
        request.push(stream.read_u8().await?);
    }
    Ok(())
}

async fn answer(acceptor: TlsAcceptor, socket: TcpStream, own: String) -> Result<(), Failure> {
    let mut stream = acceptor.accept(socket).await?;
    read_until_blank_line(&mut stream).await?;
    let chain = stream.get_ref().1.peer_certificates().ok_or("no certificate")?;
    let peer = Certificate::try_from(chain.first().ok_or("no certificate")?.as_ref())?.spiffe_id()?;
    let body = format!("Hello {peer} from {own}");
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn serve(source: X509Source) -> Result<Value, Failure> {
    let own: SpiffeId = source.svid()?.spiffe_id().clone();
    let domain = own.trust_domain().to_string();
    let config = mtls_server(source).authorize(authorizer::trust_domains([domain])?).build()?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, own) = (acceptor.clone(), own.to_string());
            tokio::spawn(async move {
                if let Err(error) = answer(acceptor, socket, own).await {
                    eprintln!("rust: {error}");
                }
            });
        }
    });
    Ok(json!({"event": "listening", "port": port}))
}

async fn call(source: X509Source, port: u16, id: String) -> Result<Value, Failure> {
    let config = mtls_client(source).authorize(authorizer::exact([id])?).build()?;
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost")?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut received = Vec::new();
    stream.take(TEXT_BYTES_MAX).read_to_end(&mut received).await?;
    Ok(json!({"event": "answer", "text": String::from_utf8(received)?}))
}

async fn obey(address: &str, command: &Value) -> Result<Option<Value>, Failure> {
    let client = WorkloadApiClient::connect_to(address).await?;
    let source = async || X509Source::builder().endpoint(address).build().await;
    let audience = text(command, "audience");
    Ok(Some(match text(command, "do").as_str() {
        "fetch" => describe(&client.fetch_x509_context().await?),
        "watch" => {
            watch(&client, command["count"].as_u64().unwrap_or(1)).await?;
            return Ok(None);
        }
        "jwt" => mint(&client, &audience).await?,
        "judge" => judge(&client, &audience, &text(command, "token")).await?,
        "serve" => serve(source().await?).await?,
        "call" => {
            let port = u16::try_from(command["port"].as_u64().unwrap_or(0))?;
            call(source().await?, port, text(command, "id")).await?
        }
        unknown => return Err(format!("unknown command {unknown}").into()),
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let address = format!("unix://{}", std::env::args().nth(1).ok_or("no socket")?);
    let (sender, mut commands) = tokio::sync::mpsc::unbounded_channel::<String>();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = commands.recv().await {
        match obey(&address, &serde_json::from_str(&line)?).await {
            Ok(Some(answer)) => say(&answer),
            Ok(None) => {}
            Err(error) => say(&refusal(&error)),
        }
    }
    // The end of standard input is the end of the test; what still serves ends with it.
    std::process::exit(0)
}
