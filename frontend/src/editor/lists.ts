// The lists that float over the canvas share their code: they are loaded together.
import './overlays.css'

export { ConnectNode, FindNode } from './finder'
export { QuickAdd } from './quick-add'
