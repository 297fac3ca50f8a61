/** Passes each exchange through the gate once, for `/v2` and the management API alike. */
import { decisionHoldsMs } from '../access/policy.ts'
import type { AdmissionRequest } from '../edge/admission-request.ts'
import type { Admitted, Gate, Refused } from '../edge/gate.ts'
import type { Asked } from '../edge/need.ts'
import type { Exchange } from './exchange.ts'

/** Admits the exchange and stores the result in it. Throws the errors of authentication. */
export async function admit(
  exchange: Exchange,
  asked: Asked & Pick<AdmissionRequest, 'surface' | 'method'>,
  { gate }: { readonly gate: Gate },
): Promise<Admitted | Refused> {
  if (exchange.admission !== undefined) throw new Error('the exchange was already admitted')
  const { surface, method } = asked
  const { origin, cors, incoming } = exchange
  const { headers } = incoming
  const request = { surface, method, headers, origin, crossOrigin: cors.admits(headers) }
  const admission = await gate.admit(request, asked)
  exchange.admission = admission
  return admission
}

/** Decides again if the request began longer ago than a decision stays valid. Throws the refusal. */
export async function decideAfterWait({ admission, startedAt }: Exchange): Promise<void> {
  if (admission?.isAdmitted !== true || performance.now() - startedAt < decisionHoldsMs) return
  await admission.decideAgain()
}
