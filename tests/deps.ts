/**
 * Third-party code that only tests use, with exact versions.
 *
 * @module
 */

export * as fc from "npm:fast-check@4.10.2";

// Validators of others, for what takes any of them.
export { z } from "npm:zod@4.6.7";
export * as valibot from "npm:valibot@1.5.0";
export { type as arktype } from "npm:arktype@2.2.9";
