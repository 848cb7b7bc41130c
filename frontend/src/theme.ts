/** The colours, and how Vuetify's components look by default. theme.css has the rest. */

import type { ThemeDefinition, VuetifyOptions } from 'vuetify'

const opacities = {
  'high-emphasis-opacity': 1,
  'medium-emphasis-opacity': 0.75,
  'disabled-opacity': 0.45,
  'hover-opacity': 0.05,
  'focus-opacity': 0,
  'activated-opacity': 0,
}

// `muted` and `faint` are secondary texts, `link` is the accent as a text. The names with `-soft` are
// backgrounds of chips and alerts. `danger` fills the button that confirms a deletion.
export const themes: Record<'light' | 'dark', ThemeDefinition> = {
  light: {
    colors: {
      // Surfaces
      background: '#f6f6f9',
      surface: '#ffffff',
      'surface-bright': '#ffffff',
      'surface-light': '#f1f1f6',
      bone: '#e9e9f1',
      segment: '#ffffff',
      'surface-variant': '#262733',
      'on-surface-variant': '#f4f4f9',
      'inverse-link': '#b9bbfb',
      'brand-panel': '#1d1c35',
      // Lines
      border: '#e3e3eb',
      field: '#878a9d',
      // Text
      'on-surface': '#1b1c26',
      muted: '#565969',
      faint: '#696c7e',
      //
      'on-background': '#1b1c26',
      'on-surface-bright': '#1b1c26',
      'on-surface-light': '#1b1c26',
      // Accent
      primary: '#4c49ad',
      'primary-hover': '#413e99',
      'on-primary': '#ffffff',
      link: '#4643a6',
      'primary-soft': '#ebebfa',
      'on-primary-soft': '#393686',
      'row-selected': '#f5f5fd',
      // States
      success: '#1b7f4c',
      'success-soft': '#e4f4eb',
      'on-success-soft': '#11603a',
      warning: '#a05e03',
      'warning-soft': '#fdf2df',
      'on-warning-soft': '#7a4602',
      error: '#bb2633',
      'error-soft': '#fdecee',
      'on-error-soft': '#98192a',
      danger: '#bb2633',
      'danger-hover': '#a11c29',
      'on-danger': '#ffffff',
      //
      info: '#4643a6',
      secondary: '#565969',
      // Avatars
      'tint-1': '#e5e4f8',
      'on-tint-1': '#403d92',
      'tint-2': '#dcedf3',
      'on-tint-2': '#1d5568',
      'tint-3': '#f6e5dc',
      'on-tint-3': '#7d4220',
      'tint-4': '#e3eedd',
      'on-tint-4': '#3b5f28',
      'tint-5': '#f5e1ea',
      'on-tint-5': '#853560',
    },
    variables: { 'border-color': '#161659', 'border-opacity': 0.12, ...opacities },
  },
  dark: {
    colors: {
      // Surfaces
      background: '#121319',
      surface: '#191a22',
      'surface-bright': '#21232d',
      'surface-light': '#2a2c38',
      bone: '#2c2e3a',
      segment: '#3d4050',
      'surface-variant': '#e7e8ef',
      'on-surface-variant': '#1b1c26',
      'inverse-link': '#413e99',
      'brand-panel': '#191932',
      // Lines
      border: '#2d2f3c',
      field: '#6f7285',
      // Text
      'on-surface': '#ebecf2',
      muted: '#a9acbb',
      faint: '#8f92a4',
      //
      'on-background': '#ebecf2',
      'on-surface-bright': '#ebecf2',
      'on-surface-light': '#ebecf2',
      // Accent
      primary: '#6562d2',
      'primary-hover': '#5a57c6',
      'on-primary': '#ffffff',
      link: '#b3b5fb',
      'primary-soft': '#2a2a4c',
      'on-primary-soft': '#cfd0fd',
      'row-selected': '#1f2032',
      // States
      success: '#56bd88',
      'success-soft': '#17332a',
      'on-success-soft': '#8ddab2',
      warning: '#e0a44a',
      'warning-soft': '#372a17',
      'on-warning-soft': '#efc27e',
      error: '#f07f86',
      'error-soft': '#3a1d23',
      'on-error-soft': '#f6a9ae',
      danger: '#c43a46',
      'danger-hover': '#b02f3b',
      'on-danger': '#ffffff',
      //
      info: '#b3b5fb',
      secondary: '#a9acbb',
      // Avatars
      'tint-1': '#302f57',
      'on-tint-1': '#cbcbfb',
      'tint-2': '#1f3a45',
      'on-tint-2': '#a9d6e6',
      'tint-3': '#44301f',
      'on-tint-3': '#ecc3a3',
      'tint-4': '#2a3b25',
      'on-tint-4': '#bcdcae',
      'tint-5': '#452739',
      'on-tint-5': '#efbad6',
    },
    variables: { 'border-color': '#d5d8f0', 'border-opacity': 0.11, ...opacities },
  },
}

const field = {
  variant: 'outlined',
  density: 'compact',
  rounded: 'lg',
  color: 'link',
  baseColor: 'field',
  hideDetails: 'auto',
}
const checkbox = { color: 'primary', baseColor: 'field' }

export const defaults: VuetifyOptions['defaults'] = {
  global: { ripple: false },
  VAppBar: { flat: true, height: 56, color: 'background', border: 'b' },
  VNavigationDrawer: { width: 248, railWidth: 64, color: 'background' },
  VCard: { flat: true, border: true },
  VList: { density: 'compact', prependGap: 12 },
  VListItem: { rounded: 'lg' },
  VBtn: { rounded: 'lg', flat: true },
  VTextField: field,
  VTextarea: field,
  VSelect: field,
  VAutocomplete: field,
  VCheckbox: { ...checkbox, density: 'compact', hideDetails: 'auto' },
  VCheckboxBtn: checkbox,
  VSwitch: { inset: true, size: 'x-small', color: 'primary', hideDetails: 'auto' },
  VBtnToggle: { mandatory: true, variant: 'text' },
  VChip: { size: 'small', variant: 'flat' },
  VMenu: { offset: 4 },
  VDialog: { maxWidth: 440 },
  VTooltip: { openDelay: 300 },
  VProgressLinear: { color: 'link', rounded: true, height: 6 },
}
