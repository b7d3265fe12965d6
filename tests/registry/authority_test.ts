/**
 * Random worlds of Tubs that grant, attenuate, surround, give away and revoke, and random calls in them: nobody ever does
 * more than the grant allows that the way begins with, nor anything through one that was revoked.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
