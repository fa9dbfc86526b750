/** ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans, ScopeSpans.spans. */
const PATH = [1, 2, 2];

/**
 * How many spans an ExportTraceServiceRequest in protobuf holds. All fields on the way to a span are length-delimited,
 * so a decoder of the whole message would only slow the sink down.
 * Source: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export function countSpans(message: Buffer, path: readonly number[] = PATH): number {
  const [wanted, ...rest] = path;
  let count = 0;
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    if ((tag.value & 7) !== 2) throw new Error('a field that is not length-delimited');
    const length = readVarint(message, tag.next);
    at = length.next + length.value;
    if (tag.value >> 3 !== wanted) continue;
    count += rest.length === 0 ? 1 : countSpans(message.subarray(length.next, at), rest);
  }
  return count;
}

function readVarint(message: Buffer, start: number): { value: number; next: number } {
  let value = 0;
  for (let at = start, shift = 1; ; at++, shift *= 128) {
    const byte = message[at] ?? 0;
    value += (byte & 127) * shift;
    if (byte < 128) return { value, next: at + 1 };
  }
}
