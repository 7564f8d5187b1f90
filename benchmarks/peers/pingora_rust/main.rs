// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A Pingora (Rust) reverse proxy for the benchmarks: pingora-rust-proxy LISTEN UPSTREAM THREADS.
// UPSTREAM is ADDR:PORT, or `by-path:PORT` to send a request for /N to 127.0.1.N:PORT (`reuse`).
// A request for /slow burns 20 ms (`stuck`).
use pingora_core::server::{configuration::ServerConf, Server};
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::Result;
use pingora_proxy::{http_proxy_service, ProxyHttp, Session};
use std::time::{Duration, Instant};

struct Proxy {
    upstream: String,
}

#[async_trait::async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();
    fn new_ctx(&self) {}
    async fn upstream_peer(&self, session: &mut Session, _: &mut ()) -> Result<Box<HttpPeer>> {
        if session.req_header().uri.path().starts_with("/slow") {
            let end = Instant::now() + Duration::from_millis(20);
            while Instant::now() < end {}
        }
        let Some(port) = self.upstream.strip_prefix("by-path:") else {
            return Ok(Box::new(HttpPeer::new(self.upstream.as_str(), false, String::new())));
        };
        let number = session.req_header().uri.path().trim_start_matches('/');
        let mut peer = HttpPeer::new(format!("127.0.1.{number}:{port}"), false, String::new());
        peer.options.idle_timeout = Some(Duration::from_secs(5));
        Ok(Box::new(peer))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let threads = args[3].parse().expect("THREADS is a number");
    let conf = ServerConf { threads, ..Default::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    let proxy = Proxy { upstream: args[2].clone() };
    let mut service = http_proxy_service(&server.configuration, proxy);
    service.add_tcp(&args[1]);
    server.add_service(service);
    server.run_forever();
}
