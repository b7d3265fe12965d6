/** What single tokens cost, without values: the encoder and the decoder alone. */
import { TokenDecoder, type TokenSink } from "../lib/wire/decoder.ts";
import { TokenEncoder } from "../lib/wire/encoder.ts";
import { FOOLSCAP_TOKENS } from "../lib/wire/tokens.ts";
import { VOCABULARIES } from "../lib/wire/vocabulary.ts";

const N = 10_000;
const body = new Uint8Array(1024 * 1024).map((_, i) => i);

/** Takes everything and keeps nothing. */
class NullSink implements TokenSink {
  seen = 0;
  header(): void {
    this.seen++;
  }
  bigHeader(): void {
    this.seen++;
  }
  double(): void {
    this.seen++;
  }
  acceptBody(): boolean {
    return true;
  }
  body(): void {
    this.seen++;
  }
}

const writers: Record<string, (encoder: TokenEncoder) => void> = {
  [`${N} small ints`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.integer(i & 0x7f);
  },
  [`${N} ints of 3 digits`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.integer(1_000_000 + i);
  },
  [`${N} LONGINTs`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.integer(2 ** 40 + i);
  },
  [`${N} doubles`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.double(i + 0.5);
  },
  [`${N} words of the vocabulary`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.word("unicode");
  },
  [`${N} other words`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.word("score");
  },
  [`${N} empty sequences`]: (encoder) => {
    for (let i = 0; i < N; i++) encoder.close(encoder.open("list"));
  },
  "1 MiB of bytes": (encoder) => encoder.bytes(body),
};

for (const [name, write] of Object.entries(writers)) {
  const encoder = new TokenEncoder(VOCABULARIES[1]);
  Deno.bench(`write ${name}`, { group: name }, () => {
    const mark = encoder.mark();
    write(encoder);
    encoder.rollback(mark);
  });
  write(encoder);
  const parts = encoder.take();
  Deno.bench(`read ${name}`, { group: name }, () => {
    const decoder = new TokenDecoder(new NullSink(), { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1 });
    for (const part of parts) decoder.push(part);
  });
}
