import { useConnection, ViewportPortal } from '@xyflow/react'

/** Says while a line is drawn why it cannot end where it is held. */
export function WhyNot({ reason }: { reason(from: string, to: string): string | null }) {
  const line = useConnection()
  if (!line.inProgress || !line.toNode || line.isValid) return null
  const backwards = line.fromHandle.type === 'target'
  const [from, to] = backwards ? [line.toNode.id, line.fromNode.id] : [line.fromNode.id, line.toNode.id]
  const why = reason(from, to)
  if (!why) return null
  return (
    <ViewportPortal>
      <div className="cv-why" style={{ transform: `translate(${line.to.x + 14}px, ${line.to.y + 18}px)` }}>
        {why}
      </div>
    </ViewportPortal>
  )
}
