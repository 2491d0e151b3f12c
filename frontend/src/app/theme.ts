import { createTheme, type MantineColorsTuple } from '@mantine/core'

// The filled shade is the same in both schemes: white on it has 6.3:1.
const accent: MantineColorsTuple = [
  '#eef0ff',
  '#e0e3ff',
  '#c4c8ff',
  '#a6a9ff',
  '#8b85ff',
  '#7068f5',
  '#5b51ec',
  '#4f46e5',
  '#4339cb',
  '#372fa5',
]

// Mantine's neutral greys are replaced by the cool ones of the tokens.
const dark: MantineColorsTuple = [
  '#e8eaf0',
  '#b0b7c6',
  '#8a92a5',
  '#566074',
  '#343b4a',
  '#232834',
  '#171b24',
  '#12151c',
  '#0e1117',
  '#0b0d12',
]

const red: MantineColorsTuple = [
  '#fff0ee',
  '#ffe3df',
  '#ffc2bb',
  '#ff9c90',
  '#ff7564',
  '#e8331d',
  '#cc1400',
  '#ac0000',
  '#900000',
  '#730000',
]

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 7 },
  colors: { accent, dark, red },
  fontFamily: 'var(--font-ui)',
  fontFamilyMonospace: 'var(--font-mono)',
  fontSizes: { xs: '11.5px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '20px' }, h2: { fontSize: '16px' }, h3: { fontSize: '14px' } },
  },
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '10px', xl: '16px' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  // Named and not imported: a component that a page does not use is not loaded for its defaults.
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 28 } },
    TextInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'md' } } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm' } },
    Input: { defaultProps: { size: 'xs' } },
    Menu: { defaultProps: { shadow: 'md', radius: 'md' } },
    Tabs: { defaultProps: { keepMounted: false } },
    Tooltip: { defaultProps: { openDelay: 350, withinPortal: true, fz: 12, color: 'dark.5' } },
    Modal: { defaultProps: { radius: 'lg', centered: true, overlayProps: { backgroundOpacity: 0.4 } } },
    Drawer: { defaultProps: { position: 'right', overlayProps: { backgroundOpacity: 0.3 } } },
  },
})
