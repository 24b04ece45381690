using System.Reflection;
using System.Reflection.Emit;
using Hyperion.Wire;

namespace Hyperion.Codecs;

/// <summary>
/// Compiles the code that moves the fields of a type to or from a buffer: direct field access, one call a field, no
/// reflection and no box when it runs. Emitted IL, because read-only fields must be set.
/// </summary>
internal static class FieldCode
{
    /// <summary>The instance fields of a type and its ancestors, in ordinal order of their names.</summary>
    public static FieldInfo[] FieldsOf(Type type)
    {
        const BindingFlags Declared =
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var fields = new List<FieldInfo>();
        for (var current = type; current is not null && current != typeof(object); current = current.BaseType)
        {
            fields.AddRange(
                current
                    .GetFields(Declared)
                    .Where(f => !f.IsDefined(typeof(NonSerializedAttribute)) && !f.IsDefined(typeof(IgnoreAttribute)))
                    .Where(f => f.FieldType != typeof(nint) && f.FieldType != typeof(nuint))
            );
        }

        return [.. fields.OrderBy(f => f.Name, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Code that writes these fields in order; a field whose slot is null is written as a bare primitive.
    /// </summary>
    public static FieldMover<T, ByteWriter> Writer<T>(FieldInfo[] fields, FieldSlot?[] slots)
    {
        var method = NewMethod<T, ByteWriter>("write");
        var il = method.GetILGenerator();
        for (var i = 0; i < fields.Length; i++)
        {
            var type = fields[i].FieldType;
            if (slots[i] is null)
            {
                il.Emit(OpCodes.Ldarg_1);
                LoadTarget<T>(il);
                il.Emit(OpCodes.Ldfld, fields[i]);
                il.Emit(OpCodes.Call, Method(typeof(ByteWriter), "Write" + Primitives.MethodSuffix(type)));
            }
            else
            {
                LoadSlot(il, i, type);
                il.Emit(OpCodes.Ldarg_1);
                LoadTarget<T>(il);
                il.Emit(OpCodes.Ldfld, fields[i]);
                il.Emit(OpCodes.Callvirt, Method(typeof(FieldSlot<>).MakeGenericType(type), "Write"));
            }
        }

        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<FieldMover<T, ByteWriter>>(slots);
    }

    /// <summary>A null field reads a value and drops it; a null slot reads a bare primitive.</summary>
    public static FieldMover<T, ByteReader> Reader<T>(FieldInfo?[] fields, FieldSlot?[] slots)
    {
        var method = NewMethod<T, ByteReader>("read");
        var il = method.GetILGenerator();
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i] is not { } field)
            {
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Call, Method(typeof(ByteReader), nameof(ByteReader.ReadObject)));
                il.Emit(OpCodes.Pop);
                continue;
            }

            LoadTarget<T>(il);
            if (slots[i] is null)
            {
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Call, Method(typeof(ByteReader), "Read" + Primitives.MethodSuffix(field.FieldType)));
            }
            else
            {
                LoadSlot(il, i, field.FieldType);
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Callvirt, Method(typeof(FieldSlot<>).MakeGenericType(field.FieldType), "Read"));
            }

            il.Emit(OpCodes.Stfld, field);
        }

        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<FieldMover<T, ByteReader>>(slots);
    }

    // Argument 0 is the array of slots, bound into the delegate; 1 the buffer; 2 a reference to the value.
    private static DynamicMethod NewMethod<T, TBuffer>(string verb) =>
        new(
            $"{verb}:{typeof(T)}",
            typeof(void),
            [typeof(FieldSlot[]), typeof(TBuffer), typeof(T).MakeByRefType()],
            typeof(FieldCode).Module,
            skipVisibility: true
        );

    private static void LoadTarget<T>(ILGenerator il)
    {
        il.Emit(OpCodes.Ldarg_2);
        if (!typeof(T).IsValueType)
        {
            il.Emit(OpCodes.Ldind_Ref);
        }
    }

    private static void LoadSlot(ILGenerator il, int index, Type fieldType)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, index);
        il.Emit(OpCodes.Ldelem_Ref);
        il.Emit(OpCodes.Castclass, typeof(FieldSlot<>).MakeGenericType(fieldType));
    }

    private static MethodInfo Method(Type type, string name) =>
        type.GetMethod(name, BindingFlags.Instance | BindingFlags.Public)
        ?? throw new MissingMethodException(type.ToString(), name);
}
