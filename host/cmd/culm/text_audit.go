package main

import "github.com/culmhq/culm/host/audit"

// auditWords are the texts about the audit: English, Chinese.
func auditWords() map[string][2]string {
	return map[string][2]string{
		"audit.entry": {"entry", "条目"},
		"audit.good":  {"%d entries, %d anchors: as they were written; the last is %d:%s", "共 %d 条，%d 个锚点：与写入时一致；最后一条为 %d:%s"},
		"audit.bad":   {"%d entries, %d anchors: not as they were written; the last is %d:%s", "共 %d 条，%d 个锚点：与写入时不一致；最后一条为 %d:%s"},
	}
}

// auditFindings are what is found, in Chinese; in English a finding speaks for itself.
func auditFindings() map[string]string {
	return map[string]string{
		audit.FoundUnreadable: "无法识别的条目或版本",
		audit.FoundChanged:    "条目内容已被改动",
		audit.FoundBroken:     "与前一条不衔接：有条目被删除、插入或移动",
		audit.FoundIndex:      "检索列与条目内容不符",
		audit.FoundStart:      "日志开头缺失，且没有对应的清理记录",
		audit.FoundEnd:        "日志末尾缺失：锚点证明曾有更多条目",
		audit.FoundReplaced:   "锚点证明此处原为另一条",
		audit.FoundForged:     "锚点签名无效",
	}
}

// finding says what was found.
func (t text) finding(f audit.Finding) string {
	if zh := auditFindings()[f.Code]; t.lang == "zh" && zh != "" {
		return zh
	}
	return f.Message
}
