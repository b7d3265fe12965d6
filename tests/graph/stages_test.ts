// What Foolscap's own tests do with an unslicer that refuses at each stage (test_banana, DecodeFailureTest): the value
// is lost, or only the part of it, and the stream is understood again right behind it.
import assert from "node:assert/strict";
import { ProtocolError, Violation } from "../../lib/errors.ts";
import { BASE_UNSLICERS } from "../../lib/graph/tables.ts";
import { Unslicer } from "../../lib/graph/unslicer.ts";
import { OPEN } from "../../lib/wire/tokens.ts";
import { joinBytes, TestReceiver } from "../support/graph_receiver.ts";
import { type Piece, tokens } from "../support/tokens_text.ts";

type Stage = "none" | "open" | "start" | "checkToken" | "checkToken of an OPEN" | "receive" | "close";

/** A list that refuses at one stage. */
class Refusing extends Unslicer {
  protected readonly value: unknown[] = [];
  readonly #stage: Stage;
  constructor(receiver: Unslicer["receiver"], stage: Stage) {
    super(receiver);
    this.#stage = stage;
  }
  override start(): void {
    this.#refuseAt("start");
  }
  override checkToken(type: number): void {
    this.#refuseAt("checkToken");
    if (type === OPEN) this.#refuseAt("checkToken of an OPEN");
  }
  override open(word: string, detail: string | undefined): Unslicer | undefined {
    this.#refuseAt("open");
    return super.open(word, detail);
  }
  override receive(value: unknown): void {
    this.#refuseAt("receive");
    this.value.push(value);
  }
  override close(): unknown[] {
    this.#refuseAt("close");
    return this.value;
  }
  override segment(): string {
    return `<${this.count}>`;
  }
  #refuseAt(stage: Stage): void {
    if (this.#stage === stage) throw new Violation("boom");
  }
}

/** A list that does without the parts that were refused. */
class Tolerant extends Refusing {
  constructor(receiver: Unslicer["receiver"], stage: Stage = "none") {
    super(receiver, stage);
  }
  override violated(): undefined {}
}

function receiverThatRefusesAt(stage: Stage): TestReceiver {
  const unslicers = BASE_UNSLICERS.extend([
    ["refusing", { make: (receiver) => new Refusing(receiver, stage) }],
    ["tolerant", { make: (receiver) => new Tolerant(receiver) }],
    ["both", { make: (receiver) => new Tolerant(receiver, stage) }],
  ]);
  return new TestReceiver({ unslicers });
}

const FLAT: readonly Piece[] = ["(refusing", 1, 2, ")"];
const NESTED: readonly Piece[] = ["(refusing", 1, "(list", 2, 3, ")", ")"];
const INSIDE: readonly Piece[] = ["(tuple", "a", ...NESTED, "b", ")"];
const ABSORBED: readonly Piece[] = ["(tolerant", 1, ...NESTED, 4, ")"];
/** The ABORT is in what is skipped: a second Violation would be one too many. */
const ABORTED: readonly Piece[] = ["(refusing", 1, "(list", 2, "!", 3, ")", ")"];
/** Deeper, with a sequence behind the place of the refusal. */
const DEEP: readonly Piece[] = ["(list", "(tuple", ...NESTED, "(dict", 1, 2, ")", ")", "(list", 5, ")", ")"];

const STAGES: readonly { stage: Stage; flat?: string; nested: string }[] = [
  { stage: "open", nested: "<1>" },
  { stage: "start", flat: "<0>", nested: "<0>" },
  { stage: "checkToken", flat: "<0>", nested: "<0>" },
  { stage: "checkToken of an OPEN", nested: "<1>" },
  { stage: "receive", flat: "<0>", nested: "<0>" },
  { stage: "close", flat: "", nested: "" },
];

/** The stream is in step: two values more, of which one refers to the right object. */
function assertInStep(test: TestReceiver, opens: number): void {
  const before = test.arrivals.length;
  test.push(tokens(["(list", "(list", 1, ")", "(reference", opens + 1, ")", ")"], opens));
  test.push(tokens(["(tuple", "a", "b", ")"], opens + 3));
  const [list, pair] = test.arrivals.slice(before).map((arrival) => "value" in arrival && arrival.value) as [
    unknown[],
    unknown[],
  ];
  assert.equal(list[0], list[1]);
  assert.equal(pair.length, 2);
  assert.equal(test.receiver.inMessage, false);
}

function opensIn(pieces: readonly Piece[]): number {
  return pieces.filter((piece) => typeof piece === "string" && piece.startsWith("(")).length;
}

for (const { stage, flat, nested } of STAGES) {
  const rows: [name: string, pieces: readonly Piece[], where: string][] = [
    ["at the top", NESTED, nested],
    ["inside a tuple", INSIDE, `[1]${nested}`],
    ["deep inside, with more behind it", DEEP, `[0][0]${nested}`],
  ];
  if (flat !== undefined) rows.push(["of numbers alone", FLAT, flat]);
  if (flat !== undefined && stage !== "close") rows.push(["with an ABORT in it", ABORTED, nested]);
  for (const [name, pieces, where] of rows) {
    Deno.test(`Receiver loses one value and stays in step when ${stage} refuses, ${name}`, () => {
      for (const size of [0, 1]) {
        const test = receiverThatRefusesAt(stage).push(tokens(pieces), size);
        assert.deepEqual(test.values, []);
        assert.deepEqual(test.violations.map(({ message }) => message), [
          where === "" ? "boom" : `boom (at ${where})`,
        ]);
        assert.equal(test.violations[0]!.where, where);
        assertInStep(test, opensIn(pieces));
      }
    });
  }

  Deno.test(`Receiver loses a part and keeps the rest when ${stage} refuses and the parent absorbs it`, () => {
    for (const size of [0, 1]) {
      const test = receiverThatRefusesAt(stage).push(tokens(ABSORBED), size);
      assert.deepEqual([test.values, test.violations], [[[1, 4]], []]);
      assertInStep(test, opensIn(ABSORBED));
    }
  });
}

for (const stage of ["open", "checkToken of an OPEN"] as const) {
  Deno.test(`Receiver goes on behind the part when ${stage} refuses it and absorbs that itself`, () => {
    const pieces: Piece[] = ["(both", 1, "(list", 2, "(list", ")", ")", 3, ")"];
    const test = receiverThatRefusesAt(stage).push(tokens(pieces));
    assert.deepEqual([test.values, test.violations], [[[1, 3]], []]);
    assertInStep(test, 3);
  });
}

Deno.test("Receiver gives the whole value when no stage refuses", () => {
  const test = receiverThatRefusesAt("none").push(tokens(INSIDE));
  const text = (letter: string) => new TextEncoder().encode(letter);
  assert.deepEqual([...(test.values[0] as unknown[])], [text("a"), [1, [2, 3]], text("b")]);
});

Deno.test("Receiver ends the connection when a header is too long in what it skips", () => {
  const longHeader = [...new Array(66).fill(1), 0x82];
  const test = receiverThatRefusesAt("start");
  const bytes = joinBytes([tokens(["(refusing", 1]), tokens([longHeader])]);
  assert.ok(test.tryPush(bytes) instanceof ProtocolError);
  assert.equal(test.violations.length, 1);
});

const ABORTS: [name: string, pieces: readonly Piece[], where: string][] = [
  ["in the list at the top", ["(list", 1, "!", ")"], "[1]"],
  ["before a list", ["(list", 1, "!", "(list", 2, 3, ")", ")"], "[1]"],
  ["two lists deep", ["(list", 1, "(list", 2, 3, 4, "(list", 5, 6, "!", ")", ")", ")"], "[1][3][2]"],
];
for (const [name, pieces, where] of ABORTS) {
  Deno.test(`Receiver loses the whole value and says where when an ABORT comes ${name}`, () => {
    const test = receiverThatRefusesAt("none").push(tokens(pieces));
    assert.deepEqual(test.values, []);
    assert.deepEqual(test.violations.map(({ message }) => message), ["ABORT received"]);
    // What was aborted is told by its sender, who knows the place better.
    assert.ok(["", where].includes(test.violations[0]!.where), test.violations[0]!.where);
    assertInStep(test, opensIn(pieces));
  });
}
