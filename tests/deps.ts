/**
 * Third-party code that only tests use, with exact versions.
 *
 * @module
 */

export * as fc from "npm:fast-check@4.10.2";
