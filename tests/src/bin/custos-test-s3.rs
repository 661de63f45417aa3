//! An S3 server (`s3s-fs`) on a folder, for cases in which `custosd` keeps shards in buckets: a
//! folder in it is a bucket, a file in that an object.
//!
//! `custos-test-s3 FOLDER ADDRESS` serves those who know `AWS_ACCESS_KEY_ID` and
//! `AWS_SECRET_ACCESS_KEY` of its environment, says `ready ADDRESS` on standard output, and ends
//! when its standard input does: it does not outlive the test that started it.

use std::{env, net::SocketAddr};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{io, net::TcpListener};

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut args = env::args_os().skip(1);
    let folder = args.next().expect("a folder");
    let address = args.next().and_then(|text| text.into_string().ok()).expect("an address");
    let address: SocketAddr = address.parse().expect("an address such as 127.0.0.1:9000");
    let variable = |name| env::var(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (key_id, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));

    let files = s3s_fs::FileSystem::new(folder).expect("a folder that is there");
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(key_id, secret));
    let listener = TcpListener::bind(address).await.expect("the address is free");
    println!("ready {address}");
    let (mut stdin, mut nowhere) = (io::stdin(), io::sink());
    tokio::select! {
        () = serve(listener, service.build()) => {}
        _ended = io::copy(&mut stdin, &mut nowhere) => {}
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    loop {
        let (socket, _) = listener.accept().await.expect("connections are accepted");
        let service = service.clone();
        tokio::spawn(async move {
            let serving = Builder::new(TokioExecutor::new());
            // A client may go at any time.
            let _ = serving.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
