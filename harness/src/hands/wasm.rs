//! stub
pub struct WasmHands;
pub struct WasmHandsOptions;
