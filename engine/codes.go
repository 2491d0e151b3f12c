package engine

// The codes of problems, which Compile reports. They are stable: the frontend
// translates them, with a Problem's Args filled in.
const (
	// The document.
	ProblemFormat        = "FORMAT_UNSUPPORTED"
	ProblemFlowID        = "FLOW_ID_INVALID"
	ProblemFlowTooLarge  = "FLOW_TOO_LARGE" // Args: what, max
	ProblemFailurePolicy = "ON_FAILURE_INVALID"
	ProblemFlowEmpty     = "FLOW_EMPTY" // the start leads straight to an end
	// Nodes and edges.
	ProblemNodeID        = "NODE_ID_INVALID"
	ProblemNodeDuplicate = "NODE_ID_DUPLICATE"
	ProblemNodeType      = "NODE_TYPE_UNKNOWN"
	ProblemNodeField     = "NODE_FIELD_MISPLACED" // Args: field, type
	ProblemStrategy      = "STRATEGY_UNKNOWN"
	ProblemOptionRange   = "OPTION_OUT_OF_RANGE"    // Args: have, min, max
	ProblemTimeoutAction = "TIMEOUT_ACTION_UNKNOWN" // Args: action
	ProblemCollectType   = "COLLECT_NOT_A_LIST"     // Args: variable
	ProblemStartMissing  = "START_MISSING"
	ProblemStartMany     = "START_MANY"
	ProblemEndMissing    = "END_MISSING"
	ProblemEdgeID        = "EDGE_ID_INVALID"
	ProblemEdgeDuplicate = "EDGE_ID_DUPLICATE"
	ProblemEdgeParallel  = "EDGE_REPEATED"     // another edge joins the same two nodes, no condition tells them apart; Args: edge
	ProblemEdgeFrom      = "EDGE_FROM_UNKNOWN" // Args: node
	ProblemEdgeTo        = "EDGE_TO_UNKNOWN"   // Args: node
	ProblemDegreeIn      = "DEGREE_IN"         // Args: type, have, min, max
	ProblemDegreeOut     = "DEGREE_OUT"        // Args: type, have, min, max
	// The shape.
	ProblemUnreachable  = "NODE_UNREACHABLE"
	ProblemNoPathToEnd  = "NO_PATH_TO_END"
	ProblemUnmatched    = "PARALLEL_UNMATCHED" // its branches do not all meet at one join
	ProblemJoinShared   = "JOIN_SHARED"        // Args: first
	ProblemBlockCrossed = "BLOCK_CROSSED"      // the edge leads into or out of a parallel branch
	ProblemJoinsDiffer  = "JOINS_DIFFER"       // the branches of a gateway first meet different joins; Args: first, second
	ProblemCycleNoTask  = "CYCLE_WITHOUT_TASK" // warning: a run that turns in it fails
	ProblemJoinOne      = "JOIN_SINGLE_INPUT"  // warning
	// Optional nodes.
	ProblemSchemeID        = "SCHEME_ID_INVALID"
	ProblemSchemeDuplicate = "SCHEME_ID_DUPLICATE"
	ProblemSchemeUnknown   = "SCHEME_UNKNOWN"        // a subflow's flow has no such scheme; Args: scheme
	ProblemSchemeNode      = "LEFT_OUT_UNKNOWN"      // what is to be left out is no node; Args: node
	ProblemSchemeRequired  = "LEFT_OUT_NOT_OPTIONAL" // Args: node
	ProblemLeftOutRead     = "LEFT_OUT_READ"         // an expression reads a node that is left out; Args: node
	// Notes on the drawing.
	ProblemNoteID        = "NOTE_ID_INVALID"
	ProblemNoteDuplicate = "NOTE_ID_DUPLICATE"
	ProblemNoteText      = "NOTE_TOO_LONG" // Args: max
	ProblemNoteSize      = "NOTE_SIZE"     // Args: max
	ProblemNoteColour    = "NOTE_COLOUR"   // Args: colour
	// Conditions.
	ProblemConditionMissing   = "CONDITION_MISSING"
	ProblemConditionMisplaced = "CONDITION_MISPLACED"
	ProblemDefaultMisplaced   = "DEFAULT_MISPLACED"
	ProblemDefaultMany        = "DEFAULT_MANY"
	ProblemDefaultCondition   = "DEFAULT_WITH_CONDITION"
	ProblemDefaultMissing     = "DEFAULT_MISSING" // warning
	// Tasks.
	ProblemPluginMissing  = "PLUGIN_MISSING"
	ProblemActionUnknown  = "ACTION_UNKNOWN"           // Args: plugin, action
	ProblemActionSchema   = "ACTION_SCHEMA"            // Args: plugin, action, detail
	ProblemInputUnknown   = "INPUT_UNKNOWN"            // Args: input
	ProblemInputMissing   = "INPUT_MISSING"            // Args: input
	ProblemInputInvalid   = "INPUT_INVALID"            // Args: input, detail
	ProblemInputType      = "INPUT_TYPE"               // the expression gives another type; Args: input, want, have
	ProblemLiteralUnknown = "LITERAL_UNKNOWN"          // Args: input
	ProblemOutputVariable = "OUTPUT_VARIABLE_UNKNOWN"  // Args: variable
	ProblemOutputSource   = "OUTPUT_VARIABLE_NOT_NODE" // Args: variable
	ProblemOutputUnknown  = "OUTPUT_UNKNOWN"           // Args: output
	// Subflows.
	ProblemSubflowMissing   = "SUBFLOW_MISSING" // the node names no flow
	ProblemSubflowUnknown   = "SUBFLOW_UNKNOWN" // Args: flow
	ProblemSubflowMode      = "SUBFLOW_MODE_UNKNOWN"
	ProblemSubflowVersion   = "SUBFLOW_VERSION_INVALID"
	ProblemSubflowRecursion = "SUBFLOW_RECURSION" // Args: names: the chain of flows that leads back
	ProblemSubflowDepth     = "SUBFLOW_DEPTH"     // Args: max
	ProblemSubflowInvalid   = "SUBFLOW_INVALID"   // the flow has errors; of the first of them Args: flow, code, at, detail, and its own with of_ before the name
	// Variables.
	ProblemVariableName       = "VARIABLE_NAME_INVALID"
	ProblemVariableReserved   = "VARIABLE_NAME_RESERVED"
	ProblemVariableDuplicate  = "VARIABLE_NAME_DUPLICATE"
	ProblemVariableSource     = "VARIABLE_SOURCE_UNKNOWN"
	ProblemVariableSchema     = "VARIABLE_SCHEMA_INVALID"  // Args: detail
	ProblemVariableValue      = "VARIABLE_VALUE_INVALID"   // Args: detail
	ProblemVariableField      = "VARIABLE_FIELD_MISPLACED" // Args: field, source
	ProblemVariableExpression = "VARIABLE_EXPRESSION_MISSING"
	ProblemVariableCycle      = "VARIABLE_CYCLE"         // Args: names
	ProblemVariableUnwritten  = "VARIABLE_NEVER_WRITTEN" // warning
	ProblemShowReads          = "SHOW_IF_READS_LATER"    // Args: name: a form knows inputs and constants only
	ProblemConstantReads      = "CONSTANT_READS_LATER"   // Args: name: a constant is made at start
	// Secrets.
	ProblemSecretSource  = "SECRET_SOURCE"  // neither an input nor a computed variable
	ProblemSecretBinding = "SECRET_BINDING" // the expression of a computed secret is not secrets.NAME
	ProblemSecretUses    = "SECRET_USES"    // it names no operation, or not completely
	ProblemSecretOutput  = "SECRET_OUTPUT"  // a secret would be an output of the run
	ProblemSecretSchema  = "SECRET_SCHEMA"  // its value is not a text
	ProblemSecretValue   = "SECRET_VALUE"   // a value of a secret stands in the drawing
	ProblemSecretPlace   = "SECRET_PLACE"   // the input takes no secret; Args: name
	ProblemSecretPlain   = "SECRET_PLAIN"   // the input of a subflow is a secret, what is passed is none; Args: input
	ProblemSecretWider   = "SECRET_WIDER"   // the subflow may send it to more than the variable allows; Args: name, system, operation
)

// Problems of expressions carry the codes of package expr (EXPR_SYNTAX, EXPR_TYPE,
// EXPR_UNKNOWN_NAME), with Args offset and name.

// The codes of failures that the core itself gives to nodes; those of expressions are
// package expr's.
const (
	FailRerunLimit     = "RERUN_LIMIT"             // a loop entered the node too often
	FailIdleLoop       = "LOOP_WITHOUT_TASK"       // a loop in which nothing can change
	FailNoCondition    = "GATEWAY_NO_CONDITION"    // no condition holds, no default
	FailManyConditions = "GATEWAY_MANY_CONDITIONS" // more than one holds, strategy only
	FailBadAnswer      = "BAD_ANSWER"              // the plugin answered what the contract does not allow
	FailForced         = "FORCED"                  // an operator failed the node
	FailTimeout        = "TIMEOUT"                 // the attempt took longer than the node may
	FailStepLimit      = "STEP_LIMIT"              // the run has made too many steps
	FailValueTooLarge  = "VALUE_TOO_LARGE"         // a variable would hold too much
	FailRunTooLarge    = "RUN_TOO_LARGE"           // the run would hold too much
	FailDepth          = "RUN_DEPTH"               // runs of independent subflows nest too deep
	FailChildFailed    = "CHILD_FAILED"            // the run of an independent subflow failed
	FailChildRevoked   = "CHILD_REVOKED"           // the run of an independent subflow was revoked
	FailRunTimeout     = "RUN_TIMEOUT"             // the run took longer than the flow may: its reason
	FailInput          = "INPUT_INVALID"           // the evaluated inputs do not fit the action's schema
)
