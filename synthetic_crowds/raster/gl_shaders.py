"""What a graphics card computes: the same arithmetic as `figure_light.py`, in GLSL.

Owns the programs' texts. Rows of pictures run down, so that y is never turned.
"""

from __future__ import annotations

__all__ = ["FIGURE", "LAYING", "SQUARE"]

# (vertex shader, fragment shader)
FIGURE = (
    """
#version 430
in vec2 in_place; in vec3 in_normal; in vec2 in_uv; in float in_sees;
in float in_near;
uniform vec2 extent_px;
uniform float rim_px;
uniform vec2 nearness;  // of the farthest vertex and of the nearest
noperspective out vec3 normal; noperspective out vec2 uv; noperspective out float sees;

void main() {
    vec2 place = (in_place / 256.0 + rim_px) / extent_px;
    float near = (in_near - nearness.x) / max(nearness.y - nearness.x, 1e-9);
    gl_Position = vec4(2.0 * place - 1.0, 1.0 - 2.0 * near, 1.0);
    normal = in_normal; uv = in_uv; sees = in_sees;
}
""",
    """
#version 430
layout(std430, binding = 0) readonly buffer Texels { uvec2 texels[]; };
// Part, and from the ninth bit on the kind: 1 closed, 2 holed.
layout(std430, binding = 1) readonly buffer Triangles { uint triangles[]; };
// Gloss, wrap (3), doublings, the sheet to light by (width, height, offset), the one
// to look for holes in (3).
layout(std430, binding = 2) readonly buffer Parts { float parts[]; };
// Towards the key light, key colour, sky, ground, towards the sky, half-way.
uniform vec3 lamps[6];
noperspective in vec3 normal; noperspective in vec2 uv; noperspective in float sees;
// Blue, green, red, and in place of alpha which side of which triangle this is.
out vec4 light;

vec4 texel(int at) {
    uvec2 word = texels[at];
    return vec4(word.x & 0xffffu, word.x >> 16, word.y & 0xffffu, word.y >> 16)
        / 65535.0;
}

vec4 mixed(int sheet) {
    ivec2 size = ivec2(parts[sheet], parts[sheet + 1]);
    vec2 at = clamp(uv * vec2(size) - 0.5, vec2(0.0), vec2(size - 1));
    ivec2 low = ivec2(at), high = min(low + 1, size - 1);
    vec2 share = at - vec2(low);
    int above = int(parts[sheet + 2]) + low.y * size.x;
    int below = int(parts[sheet + 2]) + high.y * size.x;
    return mix(mix(texel(above + low.x), texel(above + high.x), share.x),
               mix(texel(below + low.x), texel(below + high.x), share.x), share.y);
}

void main() {
    uint what = triangles[gl_PrimitiveID];
    int part = 11 * int(what & 0xffu);
    uint kind = what >> 8;
    if ((kind & 1u) != 0u && !gl_FrontFacing) discard;
    if ((kind & 2u) != 0u && mixed(part + 8).a < 128.0 / 255.0) discard;
    vec3 n = normalize(normal) * (gl_FrontFacing ? 1.0 : -1.0);
    float facing = dot(lamps[0], n);
    float rise = (0.5 + 0.5 * dot(lamps[4], n)) * sees;
    float lit = 0.45 + 0.55 * sees;
    float shine = max(dot(lamps[5], n), 0.0);
    for (int i = 0; i < int(parts[part + 4]); ++i) shine *= shine;
    shine = facing > 0.0 ? shine * parts[part] * lit : 0.0;
    vec3 wrap = vec3(parts[part + 1], parts[part + 2], parts[part + 3]);
    vec3 key = max((facing + wrap) / (1.0 + wrap), 0.0) * lit;
    vec3 around = lamps[3] * sees + (lamps[2] - lamps[3]) * rise;
    vec3 tone = mixed(part + 5).rgb;
    light.rgb = tone * (lamps[1] * key + around) + lamps[1] * shine;
    light.a = float(2 * gl_PrimitiveID + (gl_FrontFacing ? 2 : 3));
}
""",
)

SQUARE = """
#version 430
in vec2 in_corner;
void main() { gl_Position = vec4(in_corner, 0.0, 1.0); }
"""

# Four samples to a pixel, behind the street's nearer parts.
LAYING = """
#version 430
uniform sampler2D sheet;
uniform sampler2D scenery;
uniform int rim_px;
uniform float hidden_by_m;
out vec4 light;

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy), street = at - rim_px;
    bool inside = all(greaterThanEqual(street, ivec2(0)))
        && all(lessThan(street, textureSize(scenery, 0)));
    if (inside && texelFetch(scenery, street, 0).r < hidden_by_m) discard;
    light = vec4(0.0);
    for (int i = 0; i < 4; ++i) {
        vec4 seen = texelFetch(sheet, 2 * at + ivec2(i & 1, i >> 1), 0);
        light += 0.25 * vec4(seen.rgb, min(seen.a, 1.0));
    }
}
"""
