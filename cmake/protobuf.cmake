# STWATCH_WITH_PROTOBUF: the messages of src/sources/profile.proto as C, by protoc-c.
if(NOT STWATCH_PROTOBUF)
	return()
endif()
set(proto ${CMAKE_CURRENT_SOURCE_DIR}/src/sources/profile.proto)
set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
add_custom_command(
	OUTPUT ${generated}/profile.pb-c.c ${generated}/profile.pb-c.h
	COMMAND ${STWATCH_PROTOC_C} --proto_path=${CMAKE_CURRENT_SOURCE_DIR}/src/sources --c_out=${generated} ${proto}
	DEPENDS ${proto} VERBATIM)
set_source_files_properties(${generated}/profile.pb-c.c PROPERTIES COMPILE_OPTIONS -w)
target_sources(stwatch_objects PRIVATE ${generated}/profile.pb-c.c ${generated}/profile.pb-c.h)
target_include_directories(stwatch_objects SYSTEM PRIVATE ${generated} ${STWATCH_PROTOBUF_C_INCLUDE})
target_compile_definitions(stwatch_objects PRIVATE STWATCH_PROTOBUF)
list(APPEND STWATCH_PART_LIBRARIES ${STWATCH_PROTOBUF_C_LIBRARY})
string(APPEND STWATCH_PART_MODULES " libprotobuf-c")
