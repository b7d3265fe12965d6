/**
 * All third-party code of the library, with exact versions.
 *
 * `deno-std` is Deno's standard library as one npm package. Only the sub-module that is needed is
 * imported: it adds about one millisecond to the start of a program, and has no dependencies.
 *
 * @module
 */

// @ts-types="./types/deno_std_base32.d.ts"
export { decodeBase32 } from "npm:deno-std@1.4.0/encoding/base32.js";
