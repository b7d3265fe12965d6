/**
 * Names of properties that only the types need: no object has them.
 *
 * @module
 */

/** What a method declares. */
export declare const argumentTypes: unique symbol;
/** Whether a value may be left out. */
export declare const mayBeMissing: unique symbol;
/** A method that has no rules. */
export declare const unconstrained: unique symbol;
