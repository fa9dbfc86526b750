import { ATTR, type SpanSettings } from '@coordinator/tracing';
import { SpanKind, SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api';
import type { Call } from './call.ts';
import type { DownstreamError } from './downstream-error.ts';
import type { Ending } from './ending.ts';

/** Name and settings of the span of a call. There is no `url.full` or `url.path`: they may hold personal data. */
export function clientSpan(call: Call<unknown>, downstream: string, resend: number): [string, SpanSettings] {
  const { protocol, hostname, port } = new URL(call.url.origin);
  const attributes: Attributes = {
    [ATTR.httpRequestMethod]: call.method,
    [ATTR.urlScheme]: protocol.slice(0, -1),
    [ATTR.serverAddress]: hostname,
    [ATTR.serverPort]: Number(port || (protocol === 'https:' ? 443 : 80)),
    [ATTR.downstream]: downstream,
  };
  if (call.template !== undefined) attributes[ATTR.urlTemplate] = call.template;
  if (resend > 0) attributes[ATTR.httpRequestResendCount] = resend;
  const name = call.template === undefined ? call.method : `${call.method} ${call.template}`;
  return [name, { kind: SpanKind.CLIENT, attributes }];
}

/** Writes on the span how the call ended; as the conventions ask, 4xx is an error even where the caller adopts it. */
export function endClientSpan(span: Span, { head, fault }: Ending, error: DownstreamError | undefined): void {
  if (head) span.setAttribute(ATTR.httpResponseStatusCode, head.status);
  if (!error && !(head && head.status >= 400)) return;
  const status = head && (head.status < 200 || head.status >= 300) ? String(head.status) : undefined;
  span.setAttribute(ATTR.errorType, status ?? fault?.type ?? error?.code ?? '_OTHER');
  span.setStatus({ code: SpanStatusCode.ERROR });
}
