//! A guest that sends an HTTP request.

use super::guests::component;

const IO: &str = "package wasi:io@0.2.0;
interface poll { resource pollable { block: func(); } }";

/// The part of `wasi:http` that one request without a body needs.
const HTTP: &str = "package wasi:http@0.2.0;
interface types {
  use wasi:io/poll@0.2.0.{pollable};
  record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
  record TLS-alert-received-payload { alert-id: option<u8>, alert-message: option<string> }
  record field-size-payload { field-name: option<string>, field-size: option<u32> }
  variant error-code {
    DNS-timeout, DNS-error(DNS-error-payload), destination-not-found, destination-unavailable,
    destination-IP-prohibited, destination-IP-unroutable, connection-refused, connection-terminated,
    connection-timeout, connection-read-timeout, connection-write-timeout, connection-limit-reached,
    TLS-protocol-error, TLS-certificate-error, TLS-alert-received(TLS-alert-received-payload),
    HTTP-request-denied, HTTP-request-length-required, HTTP-request-body-size(option<u64>),
    HTTP-request-method-invalid, HTTP-request-URI-invalid, HTTP-request-URI-too-long,
    HTTP-request-header-section-size(option<u32>), HTTP-request-header-size(option<field-size-payload>),
    HTTP-request-trailer-section-size(option<u32>), HTTP-request-trailer-size(field-size-payload),
    HTTP-response-incomplete, HTTP-response-header-section-size(option<u32>),
    HTTP-response-header-size(field-size-payload), HTTP-response-body-size(option<u64>),
    HTTP-response-trailer-section-size(option<u32>), HTTP-response-trailer-size(field-size-payload),
    HTTP-response-transfer-coding(option<string>), HTTP-response-content-coding(option<string>),
    HTTP-response-timeout, HTTP-upgrade-failed, HTTP-protocol-error, loop-detected, configuration-error,
    internal-error(option<string>),
  }
  resource fields { constructor(); }
  resource outgoing-request {
    constructor(headers: fields);
    set-authority: func(authority: option<string>) -> result;
    set-path-with-query: func(path-with-query: option<string>) -> result;
  }
  resource request-options;
  resource incoming-response { status: func() -> u16; }
  resource future-incoming-response {
    subscribe: func() -> pollable;
    get: func() -> option<result<result<incoming-response, error-code>>>;
  }
}
interface outgoing-handler {
  use types.{outgoing-request, request-options, future-incoming-response, error-code};
  handle: func(request: outgoing-request, options: option<request-options>)
    -> result<future-incoming-response, error-code>;
}";

/// The first of the numbers by which [`fetch`] tells errors from statuses.
pub const ERRORS: u32 = 1000;

/// One function, `fetch`, which asks a host for `/` and returns the status, or [`ERRORS`] plus the error's case.
pub fn fetch() -> Vec<u8> {
    let tool = "package acme:fetch;
world tool {
  import wasi:io/poll@0.2.0;
  import wasi:http/types@0.2.0;
  import wasi:http/outgoing-handler@0.2.0;
  export fetch: func(host: string) -> u32;
}";
    component(
        &[IO, HTTP, tool],
        &format!(
            r#"(module
  (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
    (func $authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
    (func $path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]incoming-response.status" (func $status (param i32) (result i32)))
  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "/")
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (global.get $next) (local.get 3)))
    (i32.sub (global.get $next) (local.get 3)))
  (func (export "fetch") (param $host i32) (param $length i32) (result i32)
    (local $request i32) (local $response i32)
    (local.set $request (call $request (call $fields)))
    (if (call $authority (local.get $request) (i32.const 1) (local.get $host) (local.get $length))
      (then unreachable))
    (if (call $path (local.get $request) (i32.const 1) (i32.const 100) (i32.const 1))
      (then unreachable))
    (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 512))
    (if (i32.load8_u (i32.const 512))
      (then (return (i32.add (i32.const {ERRORS}) (i32.load8_u (i32.const 520))))))
    (local.set $response (i32.load (i32.const 520)))
    (call $block (call $subscribe (local.get $response)))
    ;; option at 1024, result at 1032, result at 1040, response or error at 1048.
    (call $get (local.get $response) (i32.const 1024))
    (if (i32.or (i32.eqz (i32.load8_u (i32.const 1024))) (i32.load8_u (i32.const 1032)))
      (then unreachable))
    (if (i32.load8_u (i32.const 1040))
      (then (return (i32.add (i32.const {ERRORS}) (i32.load8_u (i32.const 1048))))))
    (call $status (i32.load (i32.const 1048))))
)"#
        ),
    )
}
