// Readers and writers in JavaScript: apache-arrow, polars and hyparquet read what interop_tables made; what
// apache-arrow and polars write is read by the library. Prints TAP.
// usage: node readers.mjs NODE_MODULES INTEROP_TABLES DIRECTORY
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, tool, directory] = process.argv.slice(2);
const require = createRequire(join(modules, "x.js"));
const arrow = require("apache-arrow");
const load = (name) => import(join(modules, name));
let tests = 0;
let failures = 0;

function result(what, wrong) {
  tests += 1;
  failures += wrong ? 1 : 0;
  console.log(`${wrong ? "not ok" : "ok"} ${tests} - ${what}`);
  if (wrong) {
    console.log(`# ${String(wrong).split("\n").slice(0, 6).join(" | ").slice(0, 600)}`);
  }
}

async function check(what, body) {
  try {
    result(what, await body());
  } catch (error) {
    result(what, error.stack || error);
  }
}

const expected = (name) => JSON.parse(readFileSync(join(directory, `${name}.json`)));
const dump = (path) => JSON.parse(execFileSync(tool, ["dump", path], { maxBuffer: 1 << 26 }));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

// A value of a reader as the text that the JSON has for its type; undefined and null are NULL.
function text(value, type, item) {
  if (value === null || value === undefined) {
    return null;
  }
  if (type === "list") {
    return Array.from(value, (v) => text(v, item));
  }
  if (type === "bool") {
    return value ? "1" : "0";
  }
  if (type === "f64") {
    return Number(value);
  }
  if (type.startsWith("bytes")) {
    return hex(value);
  }
  return String(value);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// values(name): array of what the reader has in that column. skip: columns it cannot give exactly, with the reason.
function compare(name, values, skip = {}) {
  for (const column of expected(name)) {
    if (column.name in skip) {
      continue;
    }
    const item = column.name.startsWith("list_") ? column.name.slice(5) : null;
    const list = item === "bytes16" && name.includes("text") ? "text" : item;
    const got = values(column.name).map((v) => text(v, column.type, list));
    const want = column.values.map((v) => (column.type === "f64" && v !== null ? Number(v) : v));
    if (got.length !== want.length) {
      return `${column.name}: ${got.length} rows, not ${want.length}`;
    }
    const row = want.findIndex((v, i) => !same(v, got[i]));
    if (row >= 0) {
      return `${column.name}, row ${row}: ${JSON.stringify(got[row])}, not ${JSON.stringify(want[row])}`;
    }
  }
  return null;
}

function compareJson(want, got) {
  for (const [i, column] of want.entries()) {
    if (!same(column, got[i])) {
      const row = column.values.findIndex((v, k) => !same(v, got[i]?.values[k]));
      return `${column.name} ${column.type}, ${got[i]?.name} ${got[i]?.type}: row ${row}: ` +
        `${JSON.stringify(got[i]?.values[row])}, not ${JSON.stringify(column.values[row])}`;
    }
  }
  return want.length === got.length ? null : `${got.length} columns, not ${want.length}`;
}

// ---- apache-arrow: large lists are not among its types, so they are left out by what it is given ----

const arrowFile = (name, ext) => join(directory, `${name}-flat.${ext}`);

// Times come as milliseconds; the raw 64-bit values are in the data.
function arrowValues(table, name) {
  const vector = table.getChild(name);
  if (!arrow.DataType.isTimestamp(vector.type)) {
    return Array.from(vector);
  }
  const out = [];
  for (const data of vector.data) {
    for (let i = 0; i < data.length; i += 1) {
      out.push(data.getValid(i) ? data.values[i] : null);
    }
  }
  return out;
}

const lists = { list_u32: 1, list_text: 1, list_bytes16: 1, list_bool: 1 };
for (const [name, ext] of [["plain", "arrow"], ["nulls", "arrow"], ["empty", "arrow"], ["slice", "arrow"],
  ["batches", "arrow"], ["text", "arrow"], ["stream", "stream"]]) {
  await check(`apache-arrow reads ${name}.${ext}`, () => {
    const table = arrow.tableFromIPC(readFileSync(arrowFile(name, ext)));
    const metadata = table.schema.metadata.get("netfeat.kind");
    return metadata === "table" ? compare(name, (column) => arrowValues(table, column), lists)
      : `netfeat.kind is ${metadata}`;
  });
}

const arrowTable = (rows) => {
  const pick = (values) => Array.from({ length: rows }, (_, i) => (i % 5 === 3 ? null : values(i)));
  const make = (values, type) => arrow.vectorFromArray(pick(values), type);
  return new arrow.Table({
    i8: make((i) => i % 100 - 50, new arrow.Int8()),
    i16: make((i) => i * 7 - 900, new arrow.Int16()),
    i32: make((i) => i * 70000 - 9000000, new arrow.Int32()),
    i64: make((i) => BigInt(i) * 10n ** 15n - 7n, new arrow.Int64()),
    u8: make((i) => i % 256, new arrow.Uint8()),
    u16: make((i) => i * 3, new arrow.Uint16()),
    u32: make((i) => i * 4000000, new arrow.Uint32()),
    u64: make((i) => BigInt(i) + 2n ** 63n, new arrow.Uint64()),
    f32: make((i) => i / 4, new arrow.Float32()),
    f64: make((i) => i / 8, new arrow.Float64()),
    flag: make((i) => i % 3 === 0, new arrow.Bool()),
    text: make((i) => `text ${i} \u00e9`, new arrow.Utf8()),
    bytes: make((i) => new Uint8Array([i & 255, 0, 7].slice(0, i % 4)), new arrow.Binary()),
    word: make((i) => ["alpha", "beta", "gamma"][i % 3], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int16())),
    time: make((i) => 1500000000000 + i, new arrow.TimestampMillisecond()),
    mac: make((i) => new Uint8Array([1, 2, 3, 4, 5, i & 255]), new arrow.FixedSizeBinary(6)),
    list: make((i) => Array.from({ length: i % 4 }, (_, k) => i + k),
      new arrow.List(new arrow.Field("item", new arrow.Int32(), true))),
  });
};

// The same table as the library should have it.
const wanted = (rows) => {
  const at = (values) => Array.from({ length: rows }, (_, i) => (i % 5 === 3 ? null : values(i)));
  const column = (name, type, values) => ({ name, type, values: at(values) });
  return [
    column("i8", "i64", (i) => String(i % 100 - 50)),
    column("i16", "i64", (i) => String(i * 7 - 900)),
    column("i32", "i64", (i) => String(i * 70000 - 9000000)),
    column("i64", "i64", (i) => String(BigInt(i) * 10n ** 15n - 7n)),
    column("u8", "u8", (i) => String(i % 256)),
    column("u16", "u16", (i) => String(i * 3)),
    column("u32", "u32", (i) => String(i * 4000000)),
    column("u64", "u64", (i) => String(BigInt(i) + 2n ** 63n)),
    column("f32", "f64", (i) => String(i / 4)),
    column("f64", "f64", (i) => String(i / 8)),
    column("flag", "bool", (i) => (i % 3 === 0 ? "1" : "0")),
    column("text", "text", (i) => `text ${i} \u00e9`),
    column("bytes", "bytes", (i) => hex([i & 255, 0, 7].slice(0, i % 4))),
    column("word", "text", (i) => ["alpha", "beta", "gamma"][i % 3]),
    column("time", "time_ns", (i) => String(BigInt(1500000000000 + i) * 1000000n)),
    column("mac", "bytes6", (i) => hex([1, 2, 3, 4, 5, i & 255])),
    column("list", "list", (i) => Array.from({ length: i % 4 }, (_, k) => String(i + k))),
  ];
};

for (const format of ["file", "stream"]) {
  for (const rows of [0, 1, 200]) {
    await check(`the library reads what apache-arrow wrote: ${format}, ${rows} rows`, () => {
      const path = join(directory, `js-${format}-${rows}`);
      writeFileSync(path, arrow.tableToIPC(arrowTable(rows), format));
      return compareJson(wanted(rows), dump(path));
    });
  }
  await check(`the library reads several batches of apache-arrow: ${format}`, () => {
    const path = join(directory, `js-${format}-batches`);
    const table = arrowTable(100);
    const writer = format === "file" ? new arrow.RecordBatchFileWriter() : new arrow.RecordBatchStreamWriter();
    for (const [from, to] of [[0, 40], [40, 41], [41, 100]]) {
      for (const batch of table.slice(from, to).batches) {
        writer.write(batch);
      }
    }
    writer.finish();
    writeFileSync(path, writer.toUint8Array(true));
    return compareJson(wanted(100), dump(path));
  });
}

// ---- polars ----

const pl = (await load("nodejs-polars/bin/index.js")).default;

// polars has no way to hand binary values to JavaScript: what it read, it writes, and the library reads that. Sums
// and text are looked at in polars itself.
function polarsHas(name, frame) {
  const path = join(directory, `polars-read-${name}.arrow`);
  const want = expected(name);
  if (name === "text") { // polars cannot write dictionaries that it read in several batches
    frame = frame.withColumns(...["bytes16", "bytes6"].map((n) => pl.col(n).cast(pl.Utf8 ?? pl.String).alias(n)));
  }
  frame.writeIPC(path, { compression: "uncompressed" });
  const got = dump(path);
  if (!same(want.map((c) => [c.name, c.values]), got.map((c) => [c.name, c.values]))) {
    return compareJson(want.map(({ name: n, values }) => ({ name: n, values })),
      got.map(({ name: n, values }) => ({ name: n, values })));
  }
  const numbers = want.find((c) => c.name === "u16").values.filter((v) => v !== null).map(Number);
  const sum = frame.getColumn("u16").cast(pl.Int64).sum();
  if (Number(sum) !== numbers.reduce((a, b) => a + b, 0)) {
    return `the sum of u16 is ${sum}`;
  }
  const texts = frame.getColumn("text").toArray();
  return same(texts, want.find((c) => c.name === "text").values) ? null : "texts differ in polars";
}

for (const name of ["plain", "nulls", "slice", "batches", "zstd", "lz4", "text"]) {
  if (!existsSync(join(directory, `${name}.json`))) {
    continue; // the build has no such compression
  }
  await check(`polars reads ${name}.arrow`, () => {
    const path = join(directory, `${name}.arrow`);
    return polarsHas(name, pl.scanIPC(path).collectSync());
  });
}
await check("polars reads empty.arrow", () => {
  const frame = pl.readIPC(readFileSync(join(directory, "empty.arrow")));
  return frame.height === 0 && frame.width === expected("empty").length ? null : `${frame.height} ${frame.width}`;
});

for (const compression of ["uncompressed", "lz4", "zstd"]) {
  await check(`the library reads what polars wrote: ${compression}`, () => {
    const path = join(directory, `polars-${compression}.arrow`);
    const at = (values) => Array.from({ length: 300 }, (_, i) => (i % 5 === 3 ? null : values(i)));
    const texts = at((i) => (i % 2 ? "short" : `a text that is longer than twelve bytes, ${i}`));
    const frame = pl.DataFrame([
      pl.Series("n", at((i) => i - 100), pl.Int32), pl.Series("f", at((i) => i / 8), pl.Float64),
      pl.Series("t", texts, pl.Utf8 ?? pl.String), pl.Series("b", at((i) => i % 2 === 0), pl.Bool),
      pl.Series("c", at((i) => ["x", "yy"][i % 2]), pl.Utf8 ?? pl.String).cast(pl.Categorical),
    ]);
    frame.writeIPC(path, { compression });
    return compareJson([
      { name: "n", type: "i64", values: at((i) => String(i - 100)) },
      { name: "f", type: "f64", values: at((i) => String(i / 8)) },
      { name: "t", type: "text", values: texts }, { name: "b", type: "bool", values: at((i) => (i % 2 ? "0" : "1")) },
      { name: "c", type: "text", values: at((i) => ["x", "yy"][i % 2]) },
    ], dump(path));
  });
}

for (const name of ["parquet", "parquet-text", "parquet-full"]) {
  await check(`polars reads ${name}.parquet`,
    () => polarsHas(name, pl.readParquet(join(directory, `${name}.parquet`))));
}

// ---- hyparquet ----

const { parquetMetadata, parquetReadObjects } = await load("hyparquet/src/index.js");
const { compressors } = await load("hyparquet-compressors/src/index.js");

for (const name of ["parquet", "parquet-text", "parquet-full", "parquet-empty"]) {
  await check(`hyparquet reads ${name}.parquet`, async () => {
    const bytes = readFileSync(join(directory, `${name}.parquet`));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const kind = parquetMetadata(file).key_value_metadata.find((pair) => pair.key === "netfeat.kind");
    const parsers = { timestampFromNanoseconds: (ns) => ns, stringFromBytes: (b) => b && new TextDecoder().decode(b) };
    const rows = await parquetReadObjects({ file, compressors, utf8: false, parsers });
    if (kind?.value !== "table") {
      return `netfeat.kind is ${kind?.value}`;
    }
    return compare(name, (column) => rows.map((row) => row[column]));
  });
}

console.log(`1..${tests}`);
process.exit(failures > 0 ? 1 : 0);
