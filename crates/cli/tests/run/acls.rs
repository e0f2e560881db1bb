//! Gives rights on a broker: the one request that Kafka's client library has and its Rust face has not.
//!
//! `CreateAcls`, version 1, as <https://kafka.apache.org/protocol#The_Messages_CreateAcls> has it, over a connection
//! without TLS.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// Does what a line of `stormfold topics needed --acls` says.
pub(crate) fn allow(broker: &str, command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let value = |option: &str| words.iter().position(|w| *w == option).map(|at| words[at + 1]);
    let (kind, name) = [("--topic", 2), ("--group", 3), ("--transactional-id", 5)]
        .iter()
        .find_map(|(option, kind)| Some((*kind, value(option)?)))
        .unwrap();
    let pattern = if value("--resource-pattern-type") == Some("prefixed") {
        4
    } else {
        3
    };
    let operation = match value("--operation").unwrap() {
        "Read" => 3,
        "Write" => 4,
        other => panic!("operation {other}"),
    };
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.push(kind);
    text(&mut body, name);
    body.push(pattern);
    text(&mut body, value("--allow-principal").unwrap());
    text(&mut body, "*");
    // Allow.
    body.extend([operation, 3]);
    let answer = ask(broker, 30, 1, &body);
    // Behind the correlation id and the throttle time: one result, its error code and message.
    let code = i16::from_be_bytes([answer[12], answer[13]]);
    assert_eq!(code, 0, "{command}: {}", String::from_utf8_lossy(&answer));
}

fn text(body: &mut Vec<u8>, text: &str) {
    body.extend((text.len() as i16).to_be_bytes());
    body.extend(text.bytes());
}

fn ask(broker: &str, key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(key.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    text(&mut request, "test");
    request.extend(body);
    let mut stream = TcpStream::connect(broker).unwrap();
    stream.write_all(&(request.len() as i32).to_be_bytes()).unwrap();
    stream.write_all(&request).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; i32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer
}
