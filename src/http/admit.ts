/** Brings an exchange to the gate, once: the requests of `/v2` and of the management API alike. */
import { decisionHoldsMs } from '../access/policy.ts'
import type { AdmissionRequest } from '../edge/admission-request.ts'
import type { Admitted, Gate, Refused } from '../edge/gate.ts'
import type { Asked } from '../edge/need.ts'
import type { Exchange } from './exchange.ts'

/** Keeps the result with the exchange. Throws what authentication fails with. */
export async function admit(
  exchange: Exchange,
  asked: Asked & Pick<AdmissionRequest, 'surface' | 'method'>,
  { gate }: { readonly gate: Gate },
): Promise<Admitted | Refused> {
  if (exchange.admission !== undefined) throw new Error('the exchange was admitted before')
  const { surface, method } = asked
  const { origin, cors, incoming } = exchange
  const { headers } = incoming
  const request = { surface, method, headers, origin, crossOrigin: cors.admits(headers) }
  const admission = await gate.admit(request, asked)
  exchange.admission = admission
  return admission
}

/** Decides again where that is longer ago than a decision holds; throws the refusal. */
export async function decideAfterWait({ admission, startedAt }: Exchange): Promise<void> {
  if (admission?.isAdmitted !== true || performance.now() - startedAt < decisionHoldsMs) return
  await admission.decideAgain()
}
