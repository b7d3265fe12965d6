import assert from "node:assert/strict";
import { PermissionDenied } from "../../lib/errors.ts";
import {
  hasPermission,
  netPermission,
  permissionFlag,
  requirePermission,
} from "../../lib/tub/permissions.ts";

const flags: { descriptor: Deno.PermissionDescriptor; flag: string }[] = [
  { descriptor: { name: "read", path: "calc.pem" }, flag: "--allow-read=calc.pem" },
  { descriptor: { name: "write", path: "a,b" }, flag: "--allow-write" },
  { descriptor: { name: "read" }, flag: "--allow-read" },
  { descriptor: netPermission("127.0.0.1", 4501), flag: "--allow-net=127.0.0.1:4501" },
  { descriptor: netPermission("::1", 80), flag: "--allow-net=[::1]:80" },
  { descriptor: netPermission("::1"), flag: "--allow-net=[::1]" },
  { descriptor: netPermission("example.org"), flag: "--allow-net=example.org" },
  { descriptor: { name: "env", variable: "HOME" }, flag: "--allow-env=HOME" },
  { descriptor: { name: "run", command: "git" }, flag: "--allow-run=git" },
  { descriptor: { name: "sys", kind: "hostname" }, flag: "--allow-sys=hostname" },
  { descriptor: { name: "ffi", path: "x.so" }, flag: "--allow-ffi=x.so" },
];
for (const { descriptor, flag } of flags) {
  Deno.test({
    name: `requirePermission() names ${flag} when it is missing`,
    permissions: "none",
    fn() {
      assert.equal(permissionFlag(descriptor), flag);
      assert.equal(hasPermission(descriptor), false);
      assert.throws(() => requirePermission(descriptor, "calculate"), (error) => {
        assert.ok(error instanceof PermissionDenied);
        assert.ok(
          error.message.startsWith(`Cannot calculate: the ${descriptor.name} permission is `),
          error.message,
        );
        assert.ok(error.message.endsWith(` with ${flag}`), error.message);
        return true;
      });
    },
  });
}

Deno.test({
  name: "requirePermission() returns when the permission is there",
  permissions: { net: ["127.0.0.1:4501", "[::1]:80"] },
  fn() {
    requirePermission(netPermission("127.0.0.1", 4501));
    requirePermission(netPermission("::1", 80));
    assert.throws(() => requirePermission(netPermission("127.0.0.1", 4502)), PermissionDenied);
  },
});
