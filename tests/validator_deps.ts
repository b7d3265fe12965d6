/**
 * Validators of others, which only the tests of schemas use, with exact versions. Apart from `deps.ts`, because they
 * take a quarter of a second to load.
 *
 * @module
 */

export { z } from "npm:zod@4.6.7";
export * as valibot from "npm:valibot@1.5.0";
export { type as arktype } from "npm:arktype@2.2.9";
